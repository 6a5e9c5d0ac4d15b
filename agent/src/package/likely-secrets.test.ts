import { expect, test } from 'vitest';
import { findLikelySecrets } from './likely-secrets.js';

const TOKEN = 'eyJhbGciOiJFUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhbmFseXN0In0.c2lnbmF0dXJl';
const kindsOf = (text: string): string[] => findLikelySecrets('a.txt', [{ where: 'cell 1', text }]).map(found => found.kind);

test.each([TOKEN, `x = "${TOKEN}"`, `Bearer ${TOKEN}\n`, `a.b.${TOKEN}`, `key-${TOKEN}.more`])('a signed token is seen in %s', text => {
  expect(kindsOf(text)).toEqual(['a signed token (JWT)']);
});

test.each(['eyJ.eyJ.x', 'a.b.c', TOKEN.slice(0, 60), `x${TOKEN}`, TOKEN.replaceAll('.', ' ')])('what only looks like one is not: %s', text => {
  expect(kindsOf(text)).toEqual([]);
});

/** Ten seconds and more for the first with an expression that starts anew at each; the test’s own limit is five. */
test.each([['-eyJ'], ['-eyJaaaaaaaaaaaaaaaaaaaa.'], ['.'], ['a.'], ['-eyJ.eyJ']])('4 MB of %j are looked through in linear time', piece => {
  expect(kindsOf(piece.repeat(Math.floor((4 << 20) / piece.length)))).toEqual([]);
});
