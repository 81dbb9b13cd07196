/** Makes sdks/node/src/cli/next-steps.ts from server/src/errors.ts: what the command line says to do after each error. */
import { type ErrorEntry, errorTable } from '../../server/src/errors.ts';

const codes: [string, ErrorEntry][] = Object.entries(errorTable);

export function makeNextSteps(): string {
  return `// Made from server/src/errors.ts by \`npm run generate\`; do not edit by hand.

/** What to do after an error of the API, by its code. */
export const nextSteps: { readonly [code: number]: string } = {
${codes.map(([code, { next }]) => line(code, next)).join('\n')}
};
`;
}

/** As the formatter wants it: the quotes that need no escape, and one line, for it breaks none behind so short a key. */
function line(code: string, next: string): string {
  const quote = next.includes("'") && !next.includes('"') ? '"' : "'";
  return `  ${code}: ${quote}${next.replaceAll('\\', '\\\\').replaceAll(quote, `\\${quote}`)}${quote},`;
}
