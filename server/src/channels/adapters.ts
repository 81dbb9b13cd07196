/** Every adapter to the outside, as an explicit list. Apart from index.ts, so that only the wiring loads their packages. */
import type { Adapter } from './contract.ts';
import { emailSmtp } from './email-smtp/email-smtp.ts';
import { smsHttp } from './http/sms-http.ts';
import { voiceHttp } from './http/voice-http.ts';
import { smsTwilio } from './twilio/sms-twilio.ts';
import { voiceTwilio } from './twilio/voice-twilio.ts';
import { smsVonage } from './vonage/sms-vonage.ts';
import { voiceVonage } from './vonage/voice-vonage.ts';
import { whatsappCloud } from './whatsapp-cloud/whatsapp-cloud.ts';

export const adapters: readonly Adapter[] = [emailSmtp, whatsappCloud, smsTwilio, voiceTwilio, smsVonage, voiceVonage];
