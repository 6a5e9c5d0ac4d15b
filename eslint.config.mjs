import jupyter from '@jupyter/eslint-plugin';
import tseslint from 'typescript-eslint';

const NODE_FETCH = [
  { name: 'fetch', message: 'protocol has no network: take a port instead.' },
  { name: 'XMLHttpRequest', message: 'protocol has no network.' },
  { name: 'WebSocket', message: 'protocol has no network.' }
];

export default tseslint.config(
  { ignores: ['python/cloister/**', '**/lib/**', '**/dist/**', '**/image/**', '**/node_modules/**', '.venv/**', '.cloister/**', 'test-results/**'] },
  {
    files: ['**/*.{ts,tsx}'],
    extends: [...tseslint.configs.strictTypeChecked],
    languageOptions: {
      parserOptions: { project: ['./*/tsconfig.json', './tsconfig.tests.json', './extension/tsconfig.tests.json'], tsconfigRootDir: import.meta.dirname }
    },
    rules: {
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { allowDefaultCaseForExhaustiveSwitch: false, requireDefaultForNonUnion: true }],
      '@typescript-eslint/consistent-type-assertions': ['error', { assertionStyle: 'as', objectLiteralTypeAssertions: 'never' }],
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/require-await': 'off',
      'max-lines': ['error', { max: 320, skipBlankLines: true, skipComments: true }],
      'max-params': ['error', 4],
      'no-console': 'error',
      eqeqeq: 'error'
    }
  },
  {
    files: ['protocol/src/**/*.ts'],
    ignores: ['**/*.test.ts'],
    rules: { 'no-restricted-globals': ['error', ...NODE_FETCH] }
  },
  // What JupyterLab's own reviewers ask of an extension; warnings there are errors here.
  ...jupyter.configs.recommended.map(config => ({
    ...config,
    files: config.files.map(pattern => (pattern.includes('schema') ? 'schema/*.json' : 'extension/src/**/*.{ts,tsx}')),
    plugins: { jupyter },
    // What loads late is held by the bundle test, in bytes.
    rules: { ...Object.fromEntries(Object.keys(config.rules).map(rule => [rule, 'error'])), 'jupyter/prefer-lazy-imports': 'off' }
  })),
  {
    files: ['extension/src/**/*.{ts,tsx}'],
    rules: {
      // Only api/client.ts speaks to Jupyter Server.
      'no-restricted-imports': ['error', { paths: [{ name: '@jupyterlab/services', importNames: ['ServerConnection'], message: 'Only api/client.ts uses it.' }] }],
      'no-restricted-globals': ['error', ...NODE_FETCH.map(({ name }) => ({ name, message: 'Only api/client.ts speaks to the network.' }))]
    }
  },
  { files: ['extension/src/api/client.ts'], rules: { 'no-restricted-imports': 'off' } },
  {
    files: ['**/*.test.ts', '**/*.test.tsx', 'e2e/**/*.ts', 'bench/**/*.ts'],
    rules: { 'max-lines': 'off' }
  },
  {
    // Only config.ts reads the environment.
    files: ['*/src/**/*.ts'],
    ignores: ['**/config.ts', '**/*.test.ts'],
    rules: { 'no-restricted-properties': ['error', { object: 'process', property: 'env', message: 'Only config.ts reads the environment.' }] }
  },
  { files: ['cli/src/**/*.ts', 'bench/**/*.ts'], rules: { 'no-console': 'off' } }
);
