/** Calls over any HTTP gateway that speaks a text, described by settings; setup-voice-http.md shows two complete ones. */
import { gatewayFor } from './gateway.ts';

export const voiceHttp = gatewayFor('voice-http', 'Calls over an HTTP gateway', 'voice');
