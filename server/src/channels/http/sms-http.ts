/** Text messages over any HTTP gateway, described by settings; setup-sms-http.md shows two complete ones. */
import { gatewayFor } from './gateway.ts';

export const smsHttp = gatewayFor('sms-http', 'SMS over an HTTP gateway', 'sms');
