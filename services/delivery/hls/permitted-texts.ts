import type { FetchAllowance, TextClient } from '#upstream';
import { orPlaceLost } from './place-lost.ts';

/** Playlists and documents take a place at their provider too, for as long as they are fetched. */
export const permittedTexts = (texts: TextClient, allowance: FetchAllowance): TextClient => ({
  async get(request, signal) {
    const permit = await allowance.demand(request, signal);
    try {
      return await texts.get(request, AbortSignal.any([signal, permit.lost]));
    } catch (error) {
      throw orPlaceLost(error, permit, signal);
    } finally {
      permit.release();
    }
  },
});
