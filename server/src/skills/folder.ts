/** The skills as they lie on disk: one folder each, with SKILL.md at its root. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';

export interface SkillFile {
  /** Below the skill's folder, with forward slashes. */
  name: string;
  text: string;
}

export interface Skill {
  name: string;
  description: string;
  /** Sorted by name. */
  files: SkillFile[];
}

/** All skills of a folder, sorted by name; none where there is no such folder. */
export function readSkills(folder: string): Skill[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(folder, entry.name, 'SKILL.md')))
    .map(({ name }) => readSkill(join(folder, name), name))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function readSkill(folder: string, name: string): Skill {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    // What Python leaves beside a script that was run.
    .filter((path) => !path.includes('__pycache__'))
    .map((path) => ({ name: relative(folder, path).split(sep).join('/'), text: readFileSync(path, 'utf8') }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const main = files.find((file) => file.name === 'SKILL.md')?.text ?? '';
  const description = /^description: (.+)$/m.exec(main)?.[1];
  if (description === undefined) throw new Error(`${folder}: SKILL.md has no description`);
  return { name, description, files };
}
