// Everything that `engagelab-otp` exports. What is not named here may change without notice.

export { OTPClient } from './client.ts';
export { EngagelabError, type ErrorCategory, WebhookSignatureError } from './errors.ts';
export type { Balance } from './resources/balance.ts';
export type { InsightBlock, InsightGroup, InsightQuery, Insights, Percentiles } from './resources/insights.ts';
export type {
  Decision,
  Message,
  MessageAttempt,
  MessageFilter,
  MessageStep,
  MessageSummary,
  TimelineEntry,
} from './resources/messages.ts';
export type { SandboxMessage, SandboxWebhook } from './resources/sandbox.ts';
export type { SendOptions, Signals } from './resources/send-options.ts';
export type { RefusedTo, SendResult, SentTo } from './resources/sending.ts';
export type {
  DefaultText,
  EmailConfig,
  LintEntry,
  SmsConfig,
  Template,
  TemplateBody,
  TemplatePreview,
  TemplateSaved,
  VerifyCodeConfig,
} from './resources/templates.ts';
export type { ToolDefinition, ToolFormat, ToolOutcome } from './resources/tools.ts';
export type { VerifyOptions, VerifyResult } from './resources/verifications.ts';
export type { ClientOptions } from './settings.ts';
export type { Billing, WebhookEvent } from './webhooks/events.ts';
export { MessageStatusEvent, NotificationEvent, SystemEvent, UplinkEvent } from './webhooks/events.ts';
export type {
  FastifyLike,
  FastifyOptions,
  FastifyPlugin,
  FastifyReplyLike,
  FastifyRequestLike,
} from './webhooks/fastify.ts';
export type {
  CallbackRequest,
  CallbackResponse,
  EventHandler,
  MiddlewareOptions,
  RequestHandler,
} from './webhooks/middleware.ts';
export type { HeaderSource } from './webhooks/signature.ts';
export { type VerifierOptions, WebhookVerifier } from './webhooks/verifier.ts';
