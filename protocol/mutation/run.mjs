// `npm run mutation [-- FILE…]`: changes the verifier's own code a piece at a time and runs the tests on each change; all of it, or the
// source files that are named. Fails where more than one change in twenty stays unnoticed, or one that nobody explained.
import { Stryker } from '@stryker-mutator/core';
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compareWithExplained, readFindings } from './survivors.mjs';

const HERE = dirname(fileURLToPath(import.meta.url));
const RESULTS = join(HERE, '../../test-results');
const LEAST_DETECTED = 0.95;

const percent = (part, whole) => `${((100 * part) / whole).toFixed(1)} %`;
const describe = ({ file, line, original, replacement, status }) => `${file}:${line} ${status}\n  - ${original}\n  + ${replacement}`;

process.chdir(dirname(HERE));
const named = process.argv.slice(2).map(path => path.replace(/^protocol\//, ''));
const started = performance.now();
await new Stryker({ configFile: 'stryker.config.mjs', ...(named.length > 0 ? { mutate: named } : {}) }).runMutationTest();

const { detected, undetected, invalid } = readFindings(join(RESULTS, 'mutation.json'));
const { unexplained, stale } = compareWithExplained(undetected, join(HERE, 'survivors.json'));
const meant = undetected.filter(({ isText }) => !isText);
const all = detected + undetected.length;
writeFileSync(join(RESULTS, 'mutation-survivors.txt'), `${undetected.map(mutant => `${mutant.isText ? '(text) ' : ''}${describe(mutant)}`).join('\n')}\n`);
console.log(
  [
    `${all} changes of the code in ${Math.round((performance.now() - started) / 60_000)} minutes: ${detected} noticed, ${undetected.length} not (${percent(undetected.length, all)}); ${invalid} more stop the program as soon as it is loaded, and are not counted.`,
    `Texts for people aside: ${meant.length} not noticed of ${detected + meant.length} (${percent(meant.length, detected + meant.length)}).`,
    ...unexplained.map(mutant => `NOT EXPLAINED ${describe(mutant)}`),
    ...(named.length > 0 ? [] : stale.map(mutant => `EXPLAINED BUT NOTICED ${mutant}`))
  ].join('\n')
);
const enough = detected / (detected + meant.length) >= LEAST_DETECTED;
if (!enough || unexplained.length > 0 || (named.length === 0 && stale.length > 0)) process.exitCode = 1;
