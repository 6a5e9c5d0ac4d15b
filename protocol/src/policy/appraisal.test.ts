import { describe, expect, test } from 'vitest';
import { digestOfJson } from '../bytes/digest.js';
import { AppError } from '../errors.js';
import type { AppraisalPolicy } from '../objects/trust.js';
import { createTestRule } from '../testing/index.js';
import { appraisalOfRule, appraisalOfRunner, createAppraisal, requireAppraisal, type AppraisalDemands } from './appraisal.js';

const IMAGE = digestOfJson('image');
const DEMANDS: AppraisalDemands = { verifiers: ['https://verifier.example'], images: [IMAGE], projects: ['one'] };
/** Strict unless somebody says otherwise: each of these is a promise of the documentation. */
const DEFAULTS = {
  imageSigners: 'any', hardware: 'any', debug: false, attributes: ['STABLE'], tcb: ['UpToDate'], gpu: 'any', zones: 'any', serviceAccounts: 'any', command: 'image', args: 'any',
  envOverrides: [], env: 'any', restart: ['Never'], monitoring: false
};

function refusalOf(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    if (error instanceof AppError) return { code: error.code, detail: error.detail, because: error.cause !== undefined };
    throw error;
  }
  return 'nothing was refused';
}

const malformedAt = (place: string): unknown => ({ code: 'invalid_object', detail: `the appraisal policy is not well formed at ${place}`, because: true });

describe('a whole policy', () => {
  test('is strict in what nobody spoke of', () => {
    expect(createAppraisal(DEMANDS)).toEqual({ ...DEFAULTS, ...DEMANDS });
  });

  test('is what was demanded where somebody spoke', () => {
    const wide: Partial<AppraisalPolicy> = { attributes: 'any', tcb: 'any', envOverrides: 'any', restart: [], monitoring: 'any', gpu: 'required' };
    expect(createAppraisal({ ...DEMANDS, ...wide })).toEqual({ ...DEFAULTS, ...DEMANDS, ...wide });
  });

  test('says where a demand is none', () => {
    expect(refusalOf(() => createAppraisal({ ...DEMANDS, verifiers: ['http://verifier.example'] }))).toEqual(malformedAt('verifiers.0'));
    expect(refusalOf(() => createAppraisal({ ...DEMANDS, imageSigners: ['x'] }))).toEqual(malformedAt('imageSigners.0'));
  });
});

describe('a policy that a program hands over as it was read', () => {
  const policy = createAppraisal(DEMANDS);

  test('counts where it is whole, each time', () => {
    const copy = { ...policy };
    for (let time = 0; time < 2; time += 1) expect(refusalOf(() => requireAppraisal(copy))).toBe('nothing was refused');
    expect(refusalOf(() => requireAppraisal(policy))).toBe('nothing was refused');
  });

  test('does not count where a member is missing or misspelt, however often it is tried', () => {
    const misspelt = Object.assign({}, policy, { image: [IMAGE] });
    const missing = Object.assign({}, policy, { tcb: undefined });
    for (let time = 0; time < 2; time += 1) {
      expect(refusalOf(() => requireAppraisal(misspelt))).toEqual(malformedAt('its top'));
      expect(refusalOf(() => requireAppraisal(missing))).toEqual(malformedAt('tcb'));
    }
  });
});

test('of a rule: what the owner wrote, and nothing wider', () => {
  const rule = createTestRule({ images: [IMAGE], envOverrides: ['CLOISTER_JOB'], attributes: ['LATEST'], projects: ['one'], hardware: ['GCP_INTEL_TDX'] });
  expect(appraisalOfRule(rule)).toEqual({
    ...DEFAULTS, verifiers: rule.verifiers, images: [IMAGE], hardware: ['GCP_INTEL_TDX'], attributes: ['LATEST'], projects: ['one'], envOverrides: ['CLOISTER_JOB'], tcb: 'any'
  });
});

test('of a runner: what the analyst wrote, wherever it runs', () => {
  const requirements = { verifiers: ['https://verifier.example'], images: [IMAGE], hardware: ['GCP_AMD_SEV'], debug: false as const };
  expect(appraisalOfRunner(requirements)).toEqual({ ...DEFAULTS, ...requirements, attributes: 'any', projects: 'any', envOverrides: 'any', tcb: 'any' });
});
