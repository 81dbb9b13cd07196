/** One page of the documents, before it is HTML or Markdown for an address. */
export interface Doc {
  /** `/docs/templates`; its Markdown has `.md` behind it. */
  path: string;
  title: string;
  /** One sentence: the note in llms.txt, the description for search machines. */
  description: string;
  /** The heading it stands under in the navigation and in llms.txt. */
  group: string;
  order: number;
  /** Markdown without the first heading. Links to other pages begin with a slash; the server's address is `localBase`. */
  body: string;
}
