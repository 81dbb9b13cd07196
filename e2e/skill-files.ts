// The skills of the repository as tests see them: their files, their frontmatter and their fenced blocks.
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

export const skillsFolder = fileURLToPath(new URL('../skills', import.meta.url));

export const skillNames = readdirSync(skillsFolder, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)
  .sort();

/** Paths below the skill's folder with forward slashes, sorted. */
export function filesOf(skill: string): string[] {
  const folder = join(skillsFolder, skill);
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .sort();
}

export const textOf = (skill: string, file: string): string => readFileSync(join(skillsFolder, skill, file), 'utf8');

export interface Block {
  skill: string;
  file: string;
  /** Line of its opening fence. */
  line: number;
  language: string;
  /** What stands after the language. */
  note: string;
  text: string;
}

/** Every fenced block of every Markdown file of the skills, in order. */
export function allBlocks(): Block[] {
  return skillNames.flatMap((skill) =>
    filesOf(skill)
      .filter((file) => file.endsWith('.md'))
      .flatMap((file) => blocksOf(skill, file)),
  );
}

function blocksOf(skill: string, file: string): Block[] {
  const blocks: Block[] = [];
  let open: Block | undefined;
  for (const [index, line] of textOf(skill, file).split('\n').entries()) {
    const fence = /^```(\S*) ?(.*)$/.exec(line);
    if (open && line === '```') open = undefined;
    else if (open) open.text += `${line}\n`;
    else if (fence) {
      open = { skill, file, line: index + 1, language: fence[1] ?? '', note: fence[2] ?? '', text: '' };
      blocks.push(open);
    }
  }
  return blocks;
}

export interface Frontmatter {
  fields: Record<string, string>;
  metadata: Record<string, string>;
  /** What could not be read as the plain YAML the format needs. */
  faults: string[];
  body: string;
}

/** Reads the small part of YAML that skills may use: `key: plain text`, and a map of quoted strings under `metadata`. */
export function frontmatterOf(text: string): Frontmatter {
  const [, head = '', body = ''] = /^---\n([\s\S]*?)\n---\n([\s\S]*)$/.exec(text) ?? [];
  const found: Frontmatter = { fields: {}, metadata: {}, faults: head === '' ? ['no frontmatter'] : [], body };
  for (const line of head.split('\n')) {
    const [, indent = '', key = '', value = ''] = /^( *)([A-Za-z-]+): ?(.*)$/.exec(line) ?? [];
    if (key === '') found.faults.push(`not a field: ${line}`);
    else if (indent === '  ') {
      if (!/^"[^"\\]*"$/.test(value)) found.faults.push(`metadata.${key} is no quoted string`);
      found.metadata[key] = value.slice(1, -1);
    } else if (key === 'metadata') {
      if (value !== '') found.faults.push('metadata is no map');
    } else {
      if (/: | #|^[&*!|>%@`"'[{?-]/.test(value)) found.faults.push(`${key} is no plain YAML text`);
      if (key in found.fields) found.faults.push(`${key} is given twice`);
      found.fields[key] = value;
    }
  }
  return found;
}
