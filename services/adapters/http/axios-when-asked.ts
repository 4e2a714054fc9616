import type { AxiosInstance, CreateAxiosDefaults } from 'axios';

/**
 * An axios of these settings, loaded when it is first asked for: it takes 9 MB, and a process that
 * serves live streams alone never needs it.
 */
export function axiosWhenAsked(settings: CreateAxiosDefaults): () => Promise<AxiosInstance> {
  let made: Promise<AxiosInstance> | undefined;
  const make = async (): Promise<AxiosInstance> => {
    const { default: axios } = await import('axios');
    return axios.create(settings);
  };
  return () =>
    (made ??= make().catch((error: unknown) => {
      made = undefined;
      throw error;
    }));
}
