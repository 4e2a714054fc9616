const NAMES =
  /^(?:PATH|HOME|LANG|LC_\w+|LD_LIBRARY_PATH|LIBVA_\w+|CUDA_\w+|NVIDIA_\w+|MFX_\w+|ONEVPL_\w+|XDG_RUNTIME_DIR)$/;

/** Of the environment, what FFmpeg and its drivers read. Our settings hold secrets and stay here. */
export function driverEnvironment(): Record<string, string> {
  // oxlint-disable-next-line node/no-process-env -- handed on by name, not read.
  const entries = Object.entries(process.env).filter(([name]) => NAMES.test(name));
  return Object.fromEntries(entries.map(([name, value]) => [name, value ?? '']));
}
