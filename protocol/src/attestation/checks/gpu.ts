import { fail, pass, type CheckOutcome } from '../check.js';
import type { Json } from '../../bytes/json.js';
import { at } from '../claims.js';
import { isObject } from '../token.js';
import type { ClaimCheck } from '../expectation.js';

/** `submods.nvidia_gpu`: a GPU that is there must be in confidential-compute mode; DEVTOOLS lets the operator debug it. */
export const gpu: ClaimCheck = {
  id: 'gpu',
  title: 'A GPU, where there is one, keeps its memory from the operator',
  run: ({ claims, expect: { policy } }) => {
    const found = at(claims.raw, 'submods', 'nvidia_gpu');
    if (found === undefined) return policy.gpu === 'required' ? fail('a GPU in confidential-compute mode', 'no GPU') : pass('no GPU');
    switch (policy.gpu) {
      case 'none':
        return fail('no GPU', found);
      case 'any':
      case 'required':
        return inConfidentialMode(found);
    }
  }
};

function inConfidentialMode(found: Json): CheckOutcome {
  const mode = at(found, 'cc_mode');
  if (mode !== 'ON') return fail('ON', mode);
  const gpus = at(found, 'gpus');
  const models = Array.isArray(gpus) ? gpus.map(item => (isObject(item) ? item['hwmodel'] : undefined)).filter(model => typeof model === 'string') : [];
  return Array.isArray(gpus) && gpus.length > 0 && models.length === gpus.length ? pass(models) : fail('GPUs with a model', gpus);
}
