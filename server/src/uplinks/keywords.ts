/**
 * The words by which a person unsubscribes and subscribes again (contract §10.5), pure. Only a word alone counts, in any case and any
 * script form, with blanks around it: an answer in a sentence is for people to read. YES is no word: it answers too many questions.
 */

export interface Keyword {
  kind: 'opt_out' | 'opt_in';
  /** As listed here. */
  word: string;
}

interface Words {
  language: string;
  optOut: readonly string[];
  optIn: readonly string[];
}

/** The contract's are the English ones up to QUIT, and START; the rest is what people write in their own language. */
const keywords: readonly Words[] = [
  {
    language: 'en',
    optOut: ['STOP', 'STOPALL', 'UNSUBSCRIBE', 'CANCEL', 'END', 'QUIT'],
    optIn: ['START', 'UNSTOP'],
  },
  { language: 'zh', optOut: ['退订', '退訂', '取消订阅', '取消訂閱', 'TD', 'T'], optIn: ['恢复订阅', '恢復訂閱'] },
  { language: 'ja', optOut: ['停止', '配信停止'], optIn: ['再開', '配信再開'] },
  { language: 'th', optOut: ['ยกเลิก', 'หยุด'], optIn: ['เริ่ม'] },
  { language: 'es', optOut: ['BAJA', 'ALTO', 'PARAR', 'CANCELAR'], optIn: ['ALTA', 'INICIAR'] },
  { language: 'fr', optOut: ['ARRET', 'ARRÊT', 'DESABONNER', 'DÉSABONNER'], optIn: ['REPRENDRE'] },
  { language: 'de', optOut: ['STOPP', 'ABMELDEN', 'ABBESTELLEN'], optIn: ['ANMELDEN'] },
  { language: 'pt', optOut: ['PARAR', 'SAIR', 'CANCELAR'], optIn: ['INICIAR', 'VOLTAR'] },
  { language: 'it', optOut: ['FERMA', 'ANNULLA', 'DISISCRIVI'], optIn: ['RIPRENDI'] },
];

const known = new Map<string, Keyword>(
  keywords.flatMap(({ optOut, optIn }) => [
    ...optOut.map((word): [string, Keyword] => [formOf(word), { kind: 'opt_out', word }]),
    ...optIn.map((word): [string, Keyword] => [formOf(word), { kind: 'opt_in', word }]),
  ]),
);

/** The keyword that the text is; null for any other text. */
export function keywordOf(body: string): Keyword | null {
  return known.get(formOf(body)) ?? null;
}

/** Full-width letters and accents apart from their letter become ordinary ones; blanks and invisible marks at the ends go. */
function formOf(text: string): string {
  return text
    .normalize('NFKC')
    .replace(/^[\s\p{Cf}]+|[\s\p{Cf}]+$/gu, '')
    .toUpperCase();
}
