import { encoderOf, HARDWARE_KINDS, SOFTWARE } from './hardware.ts';
import type { Hardware, HardwareKind } from './hardware.ts';
import type { TranscodePlan } from './plan.ts';
import { builtIn } from './profiles.ts';

/**
 * What runs share on a worker.
 * - `slots`: runs, whatever they do.
 * - `cpu`: picture tracks that software encodes.
 * - `gpu`: picture tracks that the worker's device encodes; devices limit their sessions.
 */
export const RESOURCES = ['slots', 'cpu', 'gpu'] as const;
export type Resource = (typeof RESOURCES)[number];
export type Amounts = Readonly<Record<Resource, number>>;

/** Why software encodes where a device could have. */
export type FallbackReason = 'hardware_failed' | 'gpu_sessions_busy';
export type HardwareFallback = { readonly from: HardwareKind; readonly reason: FallbackReason };

/** A run that looks for a place. */
export type WantedRun = {
  readonly plan: TranscodePlan;
  /** The device has failed for this stream. */
  readonly softwareOnly: boolean;
};

/** A worker as far as its resources go. */
export type ResourceHolder = {
  readonly hardware: readonly Hardware[];
  readonly capacity: Amounts;
  readonly taken: Amounts;
};

export type Place = {
  readonly hardware: Hardware;
  readonly needs: Amounts;
  readonly fallback: HardwareFallback | null;
};

const NONE: Amounts = { slots: 0, cpu: 0, gpu: 0 };

/** Where a run has its place on a worker; or what there is too little of. */
export function placeOf(
  { plan, softwareOnly }: WantedRun,
  holder: ResourceHolder,
): Place | { readonly full: Resource } {
  if (!fits({ ...NONE, slots: 1 }, holder)) return { full: 'slots' };
  const device = holder.hardware[0] ?? SOFTWARE;
  const wishes = wishesOf(plan, device, softwareOnly);
  const found = wishes.find(({ needs }) => fits(needs, holder));
  return found ?? { full: (wishes[0]?.needs.gpu ?? 0) > 0 ? 'gpu' : 'cpu' };
}

/** Places that would do, the best first. */
function wishesOf(plan: TranscodePlan, device: Hardware, softwareOnly: boolean): readonly Place[] {
  const pictures = picturesOf(plan);
  const software = { ...NONE, slots: 1, cpu: pictures };
  if (plan.builtIn === null)
    return [{ hardware: device, needs: templateNeeds(plan), fallback: null }];
  const isDevice = device.kind !== 'software' && pictures > 0;
  if (!isDevice) return [{ hardware: device, needs: software, fallback: null }];
  const inSoftware = (reason: FallbackReason): Place => ({
    hardware: SOFTWARE,
    needs: software,
    fallback: { from: device.kind, reason },
  });
  if (softwareOnly) return [inSoftware('hardware_failed')];
  const onDevice = {
    hardware: device,
    needs: { ...NONE, slots: 1, gpu: pictures },
    fallback: null,
  };
  return [onDevice, inSoftware('gpu_sessions_busy')];
}

/** Picture tracks that a built-in profile encodes. */
function picturesOf({ builtIn: name, variables, renditions }: TranscodePlan): number {
  const profile = name === null ? undefined : builtIn(name);
  if (profile?.recipe(variables).video === undefined) return 0;
  return renditions?.length ?? 1;
}

const DEVICE_ENCODERS: ReadonlySet<string> = new Set(
  HARDWARE_KINDS.filter((kind) => kind !== 'software').flatMap((kind) => [
    encoderOf({ kind, device: undefined }, 'h264'),
    encoderOf({ kind, device: undefined }, 'hevc'),
  ]),
);
const VIDEO_CODEC = /^-(?:c|codec):v(?::\d+)?$|^-vcodec$/;

/** A template encodes with what it names. */
function templateNeeds({ args }: TranscodePlan): Amounts {
  const codecs = args.filter((_arg, at) => VIDEO_CODEC.test(args[at - 1] ?? ''));
  const gpu = codecs.filter((codec) => DEVICE_ENCODERS.has(codec)).length;
  const cpu = codecs.filter((codec) => codec !== 'copy' && !DEVICE_ENCODERS.has(codec)).length;
  return { slots: 1, cpu, gpu };
}

/** What needs more than there is at all takes all there is: it would never have a place. */
const fits = (needs: Amounts, { capacity, taken }: ResourceHolder): boolean =>
  RESOURCES.every(
    (resource) =>
      Math.min(needs[resource], capacity[resource]) <= capacity[resource] - taken[resource],
  );

export const plus = (one: Amounts, other: Amounts, sign: 1 | -1 = 1): Amounts => ({
  slots: one.slots + sign * other.slots,
  cpu: one.cpu + sign * other.cpu,
  gpu: one.gpu + sign * other.gpu,
});

/**
 * Whether any worker has a place for a run, beside those that have been asked for and have no
 * worker yet.
 * @returns undefined when one has; else what there is too little of, on the first worker.
 */
export function admission(
  workers: readonly ResourceHolder[],
  waiting: readonly WantedRun[],
  wanted: WantedRun,
): 'no_worker' | Resource | undefined {
  const holders = waiting.reduce(withRun, workers);
  const places = holders.map((holder) => placeOf(wanted, holder));
  if (places.some((place) => 'needs' in place)) return undefined;
  const [first] = places;
  return first !== undefined && 'full' in first ? first.full : 'no_worker';
}

function withRun(holders: readonly ResourceHolder[], run: WantedRun): readonly ResourceHolder[] {
  const places = holders.map((holder) => placeOf(run, holder));
  const at = places.findIndex((place) => 'needs' in place);
  return holders.map((holder, index) => {
    const place = places[index];
    if (index !== at || place === undefined || !('needs' in place)) return holder;
    return { ...holder, taken: plus(holder.taken, place.needs) };
  });
}
