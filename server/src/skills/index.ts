/**
 * The skills of this version, served by the instance with its own address in them, so that
 * `npx skills add http://HOST:PORT` installs what fits the server that runs. Two indexes, because readers know one or the other:
 * `/.well-known/agent-skills/` (draft 0.2.0: one artifact per skill with its digest) and `/.well-known/skills/` (a list of files).
 * The digest in the index is that of the bytes served.
 */
import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { packArchive } from './archive.ts';
import { readSkills, type Skill } from './folder.ts';

/** The draft may still move: this is its only place. */
const schema = 'https://schemas.agentskills.io/discovery/0.2.0/schema.json';
const defaultFolder = fileURLToPath(new URL('../../../skills', import.meta.url));
/** What the texts call the server; the served copy names this one instead. */
const localAddress = 'http://localhost:8080';

const switchedOff =
  '> The public sandbox pair is switched off on this server: ask the operator for a sandbox key and put it where `sandbox_demo` and `sandbox_secret` stand.';

const headers = { 'Access-Control-Allow-Origin': '*', 'Cache-Control': 'public, max-age=300' };
const mediaTypes: Readonly<Record<string, string>> = {
  md: 'text/markdown',
  py: 'text/x-python',
  mjs: 'text/javascript',
  json: 'application/json',
};

interface Served {
  mediaType: string;
  body: string | Buffer;
}

export interface SkillPorts {
  /** Address under which readers reach the server, without a slash at its end. */
  publicUrl(): string;
  /** Whether the public sandbox pair is accepted; where not, a text that names it says so. */
  publicSandbox: boolean;
  folder?: string;
}

/** Pages for the front door, and the same files for readers inside the server. */
export function createSkills({ publicUrl, publicSandbox, folder = defaultFolder }: SkillPorts) {
  const skills = publicSandbox ? readSkills(folder) : readSkills(folder).map(pairSwitchedOff);
  let made: { address: string; files: ReadonlyMap<string, Served> } | undefined;
  const filesFor = (address: string): ReadonlyMap<string, Served> => {
    // The address is known once the server listens.
    if (made?.address !== address) made = { address, files: serveAll(skills, address) };
    return made.files;
  };
  const answer = ({ path }: { path: string }) => {
    const found = filesFor(publicUrl()).get(path);
    return found ? { status: 200, ...found, headers } : null;
  };
  return {
    pages: ['/.well-known/agent-skills/*', '/.well-known/skills/*'].map((path) => ({ path, answer })),
    list: () => skills.map(({ name, description }) => ({ name, description })),
    /** A file of a skill as it is served; null where there is none. Never asks the disk, so no path leads out of the skills. */
    read(name: string, file: string): { mediaType: string; text: string } | null {
      if (!skills.some((skill) => skill.name === name && skill.files.some((known) => known.name === file))) return null;
      const found = filesFor(publicUrl()).get(`/.well-known/skills/${name}/${file}`);
      return found ? { mediaType: found.mediaType, text: String(found.body) } : null;
    },
  };
}

function pairSwitchedOff(skill: Skill): Skill {
  const files = skill.files.map((file) =>
    file.name.endsWith('.md') && file.text.includes('sandbox_demo')
      ? { ...file, text: file.text.replace(/^# .*$/m, (heading) => `${heading}\n\n${switchedOff}`) }
      : file,
  );
  return { ...skill, files };
}

function serveAll(skills: readonly Skill[], address: string): Map<string, Served> {
  const addressed = skills.map((skill) => ({
    ...skill,
    files: skill.files.map((file) => ({ ...file, text: file.text.replaceAll(localAddress, () => address) })),
  }));
  const files = new Map<string, Served>();
  for (const skill of addressed) {
    for (const { name, text } of skill.files) {
      const served = { mediaType: mediaTypes[name.split('.').at(-1) ?? ''] ?? 'text/plain', body: text };
      for (const index of ['agent-skills', 'skills']) files.set(`/.well-known/${index}/${skill.name}/${name}`, served);
    }
  }
  files.set('/.well-known/skills/index.json', json({ skills: addressed.map(listed) }));
  const artifacts = addressed.map(artifactOf);
  for (const { path, served } of artifacts) files.set(`/.well-known/agent-skills/${path}`, served);
  const entries = artifacts.map(({ entry }) => entry);
  files.set('/.well-known/agent-skills/index.json', json({ $schema: schema, skills: entries }));
  return files;
}

const json = (value: object): Served => ({ mediaType: 'application/json', body: JSON.stringify(value) });

const listed = ({ name, description, files }: Skill): object => ({
  ...{ name, description },
  files: files.map((file) => file.name),
});

/** A skill of one file is that file; one of several is an archive with SKILL.md at its root. */
function artifactOf({ name, description, files }: Skill) {
  const [only, ...more] = files;
  const isFile = only !== undefined && more.length === 0;
  const served = isFile
    ? { mediaType: 'text/markdown', body: only.text }
    : { mediaType: 'application/gzip', body: packArchive(files.map(entryOf)) };
  // Relative to the index, so that it holds behind every proxy.
  const path = isFile ? `${name}/SKILL.md` : `${name}.tar.gz`;
  const digest = `sha256:${createHash('sha256').update(served.body).digest('hex')}`;
  return { path, served, entry: { name, type: isFile ? 'skill-md' : 'archive', description, url: path, digest } };
}

const entryOf = ({ name, text }: { name: string; text: string }) => ({
  ...{ name, content: Buffer.from(text) },
  executable: name.startsWith('scripts/'),
});
