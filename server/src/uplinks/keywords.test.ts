import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { keywordOf } from './keywords.ts';

describe('keywords', () => {
  test('the words of the contract opt out, in any case and with blanks around them', () => {
    for (const word of ['STOP', 'STOPALL', 'UNSUBSCRIBE', 'CANCEL', 'END', 'QUIT'])
      for (const body of [word, word.toLowerCase(), `${word[0]}${word.slice(1).toLowerCase()}`, ` \t${word}\r\n`])
        assert.deepEqual(keywordOf(body), { kind: 'opt_out', word }, JSON.stringify(body));
  });

  test('START opts in, HELP and YES are no keywords', () => {
    assert.deepEqual(keywordOf(' start\n'), { kind: 'opt_in', word: 'START' });
    assert.deepEqual(keywordOf('Unstop'), { kind: 'opt_in', word: 'UNSTOP' });
    for (const body of ['HELP', 'INFO', 'YES', '']) assert.equal(keywordOf(body), null);
  });

  test('words of other languages opt out in every form in which a handset may write them', () => {
    const bodies = [
      '退订',
      '退訂',
      'td',
      'Ｔ',
      '停止',
      'ยกเลิก',
      'baja',
      'Arrêt',
      'arre\u0302t',
      'Stopp',
      'sair',
      'ＳＴＯＰ',
    ];
    for (const body of [...bodies, '\u200fSTOP\u200e', '\u00a0STOP\u3000']) {
      assert.equal(keywordOf(body)?.kind, 'opt_out', body);
    }
    for (const body of ['恢复订阅', '再開', 'เริ่ม', 'alta']) assert.equal(keywordOf(body)?.kind, 'opt_in', body);
  });

  test('a keyword among other words is left to people', () => {
    for (const body of [
      'STOP please',
      'do not STOP',
      'STOP STOP',
      'ST OP',
      'STOPP!',
      'The end',
      '482913',
      'S',
      'constructor',
    ])
      assert.equal(keywordOf(body), null, body);
  });
});
