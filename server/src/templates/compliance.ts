/**
 * What may stand in a text that is sent (contract §5.5 step 10). A person must read what was written: overrides of the reading direction
 * show a text backwards, and control characters are read differently by every carrier and handset.
 */

/** Controls but tab and line ends, the two overrides of direction, non-characters, halves of surrogate pairs. */
const refused = /[\u202d\u202e\ufffe\uffff\p{Cs}]|(?![\t\n\r])\p{Cc}/u;

export const isCompliant = (text: string): boolean => !refused.test(text);
