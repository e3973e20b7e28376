import { createTheme, type CSSVariablesResolver } from '@mantine/core';

export const theme = createTheme({
  primaryColor: 'cyan',
  primaryShade: 9,
  autoContrast: true,
  defaultRadius: 'md',
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, sans-serif',
  fontFamilyMonospace: 'ui-monospace, "SF Mono", Menlo, Consolas, monospace',
  headings: { fontWeight: '650' },
  cursorType: 'pointer',
});

/** Light badges, dimmed text and placeholders with a contrast of at least 4.5 to 1. */
export const cssVariables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    '--mantine-color-dimmed': '#56606a',
    '--mantine-color-placeholder': '#6a737c',
    '--mantine-color-teal-light-color': '#066649',
    '--mantine-color-cyan-light-color': '#0a5a6b',
    '--mantine-color-yellow-light-color': '#7a4b00',
    '--mantine-color-orange-light-color': '#8a3b00',
    '--mantine-color-red-light-color': '#a61e1e',
    '--mantine-color-gray-light-color': '#495057',
  },
  dark: {
    '--mantine-color-dimmed': '#a5adb5',
    '--mantine-color-placeholder': '#9aa3ab',
    '--mantine-color-teal-light-color': '#63e6be',
    '--mantine-color-cyan-light-color': '#66d9e8',
    '--mantine-color-yellow-light-color': '#ffd43b',
    '--mantine-color-orange-light-color': '#ffc078',
    '--mantine-color-red-light-color': '#ffa8a8',
    '--mantine-color-gray-light-color': '#ced4da',
    '--mantine-color-error': '#ff8787',
  },
});
