import { expectOneOf } from '../check.js';
import type { ClaimCheck } from '../expectation.js';

/** By digest alone: a reference or tag says nothing. */
export const image: ClaimCheck = {
  id: 'image',
  title: 'The runner is an accepted program',
  run: ({ claims, expect }) => expectOneOf(expect.policy.images, claims.image, 'list the image’s digest only after you rebuilt or reviewed it')
};
