/** Languages Vonage has a voice for; a talk action in another makes the whole call fail. From the Voice API's own description. */

const spoken = (
  'ar ca-ES cmn-CN cmn-TW cs-CZ cy-GB da-DK de-DE el-GR en-US en-AU en-GB en-GB-WLS en-IN en-ZA es-ES es-MX es-US eu-ES ' +
  'fi-FI fil-PH fr-FR fr-CA he-IL hi-IN hu-HU id-ID is-IS it-IT ja-JP ko-KR nb-NO nl-NL no-NO pl-PL pt-BR pt-PT ro-RO ' +
  'ru-RU sk-SK sv-SE th-TH tr-TR uk-UA vi-VN yue-CN'
).split(' ');

/** Vonage names the spoken languages of China, not the written one. */
const chinese: readonly (readonly [tag: RegExp, voice: string])[] = [
  [/^zh-(Hant-)?(HK|MO)$/i, 'yue-CN'],
  [/^zh-(Hant|TW)/i, 'cmn-TW'],
  [/^zh/i, 'cmn-CN'],
];

/** The voice for a BCP-47 tag: the tag itself, else the first of its language, else English, which at least tells the digits. */
export function voiceFor(locale: string): string {
  const mandarin = chinese.find(([tag]) => tag.test(locale))?.[1];
  const language = locale.split('-')[0]?.toLowerCase();
  const near = spoken.find((voice) => voice.split('-')[0] === language);
  return mandarin ?? spoken.find((voice) => voice.toLowerCase() === locale.toLowerCase()) ?? near ?? 'en-US';
}
