/** Links in Markdown text, found outside of code. */

/** The text with the target of every link changed. */
export function mapLinks(markdown: string, change: (target: string) => string): string {
  return outsideCode(markdown, (text) =>
    text.replaceAll(/\]\(([^()\s]+)\)/g, (_all, target: string) => `](${change(target)})`),
  );
}

/** Changes what stands between code blocks and inline code. */
function outsideCode(markdown: string, change: (text: string) => string): string {
  return markdown
    .split(/(^```[\s\S]*?^```|``.*?``|`[^`\n]*`)/m)
    .map((part, i) => (i % 2 === 0 ? change(part) : part))
    .join('');
}

/** Path and fragment of a link within the server; null for one that leaves it or stays on the page. */
export function ownLink(target: string): { path: string; fragment: string } | null {
  if (!target.startsWith('/') || target.startsWith('//')) return null;
  const [path = '', fragment = ''] = target.split(/(?=#)/);
  return { path, fragment };
}
