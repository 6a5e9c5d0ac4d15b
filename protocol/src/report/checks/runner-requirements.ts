import { fail, pass } from '../../attestation/check.js';
import type { ReportCheck } from '../report-check.js';

export const requirements: ReportCheck = {
  id: 'runner_requirements',
  title: 'The program and hardware are ones that the analyst demanded for her code',
  run: ({ evidence, claims }) => {
    const { verifiers, images, hardware } = evidence.manifest.payload.code.runner;
    const ran = { verifier: claims?.issuer ?? null, image: claims?.image ?? null, hardware: claims?.hardware ?? null };
    const met =
      verifiers.some(issuer => issuer === claims?.issuer) &&
      images.some(digest => digest === claims?.image) &&
      (hardware === 'any' || hardware.some(model => model === claims?.hardware));
    return met ? pass(ran) : fail({ verifiers, images, hardware }, ran);
  }
};
