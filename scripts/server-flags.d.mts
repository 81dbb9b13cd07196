export function serverFlags(nodeOptions?: string): string[];
export function runsTheServer(args: readonly string[]): boolean;

/** The folder in which Node keeps what it compiled. */
export const compileCache: string;
