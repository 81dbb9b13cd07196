export function serverFlags(nodeOptions?: string): string[];
export function runsTheServer(args: readonly string[]): boolean;
