import tseslint from 'typescript-eslint';

const NODE_FETCH = [
  { name: 'fetch', message: 'protocol has no network: take a port instead.' },
  { name: 'XMLHttpRequest', message: 'protocol has no network.' },
  { name: 'WebSocket', message: 'protocol has no network.' }
];

export default tseslint.config(
  { ignores: ['**/lib/**', '**/dist/**', '**/image/**', '**/node_modules/**', '.venv/**', '.cloister/**', 'test-results/**'] },
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.strictTypeChecked],
    languageOptions: {
      parserOptions: { project: ['./*/tsconfig.json', './tsconfig.tests.json'], tsconfigRootDir: import.meta.dirname }
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
  {
    files: ['**/*.test.ts', 'e2e/**/*.ts', 'bench/**/*.ts'],
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
