/** Pages as a model asks for them: by any form of their address, whole or one section. Pure. */

/** `/docs/templates` of that, of `templates`, `templates.md` and the whole address. Never a path of a file: pages are known by name. */
export function pathOfPage(given: string): string {
  const path = URL.canParse(given) ? new URL(given).pathname : given.replace(/[?#].*$/s, '');
  const name = path.replace(/^\/+|\/+$/g, '').replace(/(?:(?:^|\/)index)?\.md$/, '');
  if (name === '' || name === 'docs') return '/docs';
  return name.startsWith('docs/') ? `/${name}` : `/docs/${name}`;
}

interface Section {
  level: number;
  heading: string;
  line: number;
}

/** The headings of a page below its title, and the text of the section; null where it has none of that name. */
export function sectionOf(page: string, section?: string): { headings: string[]; text: string | null } {
  const lines = page.split('\n');
  const sections = sectionsIn(lines);
  const headings = sections.map(({ heading }) => heading);
  if (section === undefined) return { headings, text: page };
  const i = sections.findIndex(({ heading }) => plain(heading) === plain(section));
  const found = sections[i];
  if (!found) return { headings, text: null };
  const end = sections.slice(i + 1).find(({ level }) => level <= found.level)?.line;
  return { headings, text: lines.slice(found.line, end).join('\n').trim() };
}

/** A `#` inside a fence is a comment of some language. */
function sectionsIn(lines: readonly string[]): Section[] {
  let fenced = false;
  return lines.flatMap((text, line) => {
    if (/^\s*(```|~~~)/.test(text)) fenced = !fenced;
    const [, marks, heading] = (!fenced && /^(#{2,6}) (.+)$/.exec(text)) || [];
    return marks && heading ? [{ level: marks.length, heading: heading.trim(), line }] : [];
  });
}

/** As `#the-heading` of an address or as it stands. */
const plain = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]+/gu, ' ')
    .trim();
