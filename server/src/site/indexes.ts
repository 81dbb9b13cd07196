/** What machines read first: llms.txt (version 2 of its convention), all pages as one text, sitemap.xml, robots.txt. */
import type { Doc } from './doc.ts';
import { escapeHtml } from './html.ts';
import { twinOf } from './layout.ts';
import type { Library } from './library.ts';

/** Groups a reader in a hurry may leave out. */
const isOptional = (group: string): boolean => group.startsWith('API: Operator') || group === 'API: Server';

export function makeLlmsTxt({ base, docs }: Library): string {
  const needed = docs.filter(({ group }) => !isOptional(group));
  const link = ({ path, title, description }: Doc): string => `- [${title}](${base}${twinOf(path)}): ${description}`;
  const sections = [...Map.groupBy(needed, ({ group }) => group)].map(
    ([group, pages]) => `## ${group}\n\n${pages.map(link).join('\n')}`,
  );
  return `# OTP platform

> Sends one-time passwords by SMS, WhatsApp, e-mail and voice, checks them, and tells what became of each message. Self-hosted, speaking the wire contract of the EngageLab OTP API. This server: ${base}

Every page is Markdown at the address below, and HTML without \`.md\`. Start with [the page for agents](${base}/docs/ai.md). All pages as one text: ${base}/llms-full.txt. Machine-readable API: ${base}/openapi.json, and workflows over it: ${base}/arazzo.yaml. Skills: ${base}/.well-known/agent-skills/index.json. MCP: ${base}/mcp. Search: ${base}/docs/search?q=WORDS (JSON with \`Accept: application/json\`).

${sections.join('\n\n')}

## Optional

${docs
  .filter(({ group }) => isOptional(group))
  .map(link)
  .join('\n')}
`;
}

export const makeLlmsFull = ({ docs, markdown }: Library): string => docs.map(markdown).join('\n\n---\n\n');

export function makeSitemap({ base, docs }: Library): string {
  const urls = docs.map(({ path }) => `<url><loc>${escapeHtml(base + path)}</loc></url>`);
  return `<?xml version="1.0" encoding="UTF-8"?>
<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
${urls.join('\n')}
</urlset>
`;
}

export const makeRobots = ({ base }: Library): string => `User-agent: *
Allow: /
Disallow: /admin/
Disallow: /hooks/
Disallow: /v1/

Sitemap: ${base}/sitemap.xml
`;
