FROM node:24-bookworm-slim AS packages
WORKDIR /app
COPY package.json package-lock.json ./
# Optional packages are Node.js itself, which the image has, and an accelerator that nothing needs.
RUN npm ci --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund

FROM node:24-bookworm-slim
RUN apt-get update \
  && apt-get install --yes --no-install-recommends curl ffmpeg redis-server tini \
  && rm -rf /var/lib/apt/lists/* \
  && install -d -o node -g node /data
WORKDIR /app
COPY --from=packages /app/node_modules node_modules
COPY package.json openapi.yaml LICENSE ./
COPY api api
COPY scripts scripts
COPY services services
COPY workers workers
RUN ln -s /app/scripts/penstock /usr/local/bin/penstock

ENV NODE_ENV=production \
    DATA_DIR=/data \
    NODE_COMPILE_CACHE=/data/cache
USER node
VOLUME /data
EXPOSE 8085
HEALTHCHECK --interval=15s --timeout=3s --start-period=20s \
  CMD curl -fsS "http://127.0.0.1:${PORT:-8085}/healthz" || exit 1
ENTRYPOINT ["tini", "--", "node", "--max-semi-space-size=1", "services/supervisor/main.ts"]
