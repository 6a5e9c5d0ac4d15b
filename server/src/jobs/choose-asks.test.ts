import { createTestSigner, createTestWorld } from '@cloister/protocol/testing';
import { digestOf, toUtf8, type Thumbprint } from '@cloister/protocol';
import { expect, test } from 'vitest';
import type { LiveJob } from '../store/port.js';
import { chooseAsks } from './choose-asks.js';

const world = await createTestWorld();
const [loud, quiet] = [(await createTestSigner()).thumbprint, (await createTestSigner()).thumbprint];

function due(analyst: Thumbprint, name: string, tries = 0): LiveJob {
  const { payload } = world.manifest;
  const job = {
    job: digestOf(toUtf8(name)), id: payload.id, analyst, bundle: payload.code.bundle, notAfter: new Date(payload.notAfter), maxAttempts: 1,
    state: 'queued', attempt: 0, version: 1, createdAt: world.now, updatedAt: world.now
  } as const;
  return { job, work: { kind: 'start', tries, notBefore: world.now } };
}

const many = Array.from({ length: 100 }, (_, at) => due(loud, `loud ${at}`));

test('one analyst’s many jobs leave room for another’s, though they are older', () => {
  const own = due(quiet, 'own');
  expect(chooseAsks([...many, own], [], { total: 32, perAnalyst: 4 })).toEqual([many[0], own, many[1], many[2], many[3]]);
  expect(chooseAsks([...many, own], [loud, loud, loud, loud], { total: 32, perAnalyst: 4 })).toEqual([own]);
});

test('never more than fit', () => {
  expect(chooseAsks(many, [], { total: 2, perAnalyst: 4 })).toHaveLength(2);
  expect(chooseAsks(many, [quiet, quiet], { total: 2, perAnalyst: 4 })).toEqual([]);
  expect(chooseAsks([], [], { total: 2, perAnalyst: 4 })).toEqual([]);
});

test('what was asked for in vain comes after what was not', () => {
  const [old, young] = [due(quiet, 'old', 3), due(quiet, 'young')];
  expect(chooseAsks([old, young], [], { total: 1, perAnalyst: 4 })).toEqual([young]);
});
