import { describe, expect, it } from 'vitest';
import { planDeliveries } from '#webhooks';
import { FACTS, anEndpoint, anEvent } from '../../support/events.ts';

const started = anEvent();
const stopped = anEvent({ fact: FACTS.stream_stopped });
const failed = anEvent({ fact: FACTS.stream_failed });

describe('the plan of deliveries', () => {
  it('gives each endpoint the events that it wants, in their order', () => {
    const all = anEndpoint('http://a.example/', {
      events: ['stream_stopped', 'stream_started', 'stream_failed'],
    });
    const some = anEndpoint('http://b.example/', { events: ['stream_stopped'] });
    const plan = planDeliveries([started, failed, stopped], [all, some]);
    expect(plan.get(all.id)?.map(({ event }) => event)).toEqual([started, failed, stopped]);
    expect(plan.get(some.id)?.map(({ event }) => event)).toEqual([stopped]);
  });

  it('leaves out endpoints that hear of nothing', () => {
    const deaf = anEndpoint('http://c.example/', { events: [] });
    expect(planDeliveries([started], [deaf]).size).toBe(0);
  });

  it('starts every delivery without failed attempts', () => {
    const endpoint = anEndpoint('http://a.example/');
    expect(planDeliveries([started], [endpoint]).get(endpoint.id)).toEqual([
      { v: 1, endpointId: endpoint.id, event: started, failedAttempts: 0 },
    ]);
  });
});
