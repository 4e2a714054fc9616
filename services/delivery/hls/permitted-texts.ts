import type { FetchAllowance, TextClient } from '#upstream';

/** Playlists and documents take a place at their provider too, for as long as they are fetched. */
export const permittedTexts = (texts: TextClient, allowance: FetchAllowance): TextClient => ({
  async get(request, signal) {
    const permit = await allowance.demand(request.url, signal);
    try {
      return await texts.get(request, signal);
    } finally {
      permit.release();
    }
  },
});
