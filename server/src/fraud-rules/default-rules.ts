/**
 * The rules an application has until it gets its own, with where their numbers come from. They are in shadow for the first week;
 * automatic blocks of prefixes are not.
 */
import { type RuleSet, readRuleSet } from './rule.ts';

const firstWeekMs = 7 * 86_400_000;
const phoneChannels = ['sms', 'voice'];

const rules = [
  {
    id: 'premium_numbers',
    title: 'Premium-rate and shared-cost numbers get nothing',
    source:
      'Vendors name premium and shared-cost ranges among the signals of pumping: the holder earns on each message.',
    mode: 'enforce',
    when: { fact: 'number_type', op: 'in', value: ['PREMIUM_RATE', 'SHARED_COST'] },
    verdict: 'block',
  },
  {
    id: 'unreached_ranges',
    title: 'VoIP and toll-free numbers are challenged',
    source: 'The same lists name VoIP and toll-free ranges; NIST SP 800-63B-4 does not take VoIP as out-of-band.',
    mode: 'enforce',
    when: { fact: 'number_type', op: 'in', value: ['VOIP', 'TOLL_FREE', 'PAGER', 'UAN', 'VOICEMAIL'] },
    verdict: 'challenge',
  },
  {
    id: 'sequential_numbers',
    title: 'A run of neighbouring numbers closes sms and voice of the prefix',
    source:
      'Sequential numbers are a signal of pumping; six neighbours within half an hour do not come about by chance.',
    mode: 'enforce',
    when: { fact: 'sequential_numbers', op: 'gte', value: 6 },
    verdict: 'block_for',
    seconds: 3600,
    per: 'prefix',
    channels: phoneChannels,
  },
  {
    id: 'unverified_prefix',
    title: 'A prefix with many sends and hardly a verified code loses sms and voice',
    source:
      'Healthy conversion is 60 to 80 %, pumped traffic stays below 20 %; 20 sends per prefix and hour are our limit.',
    mode: 'enforce',
    when: {
      all: [
        { fact: 'sends_to_prefix_30m', op: 'gte', value: 10 },
        { fact: 'verified_share_of_prefix_30m', op: 'lt', value: 0.2 },
      ],
    },
    verdict: 'block',
    channels: phoneChannels,
  },
  {
    id: 'unverified_prefix_in_a_day',
    title: 'A prefix of which hardly a code was verified within a day loses sms and voice',
    source:
      'Slow pumping stays below what is counted by the hour, and a prefix that was closed for an hour is pumped again: in our simulation (bench pumping) the other rules let 40 to 290 messages a day through under such a prefix, with this one it is 21.',
    mode: 'enforce',
    when: { fact: 'verified_share_of_prefix_24h', op: 'lt', value: 0.2 },
    verdict: 'block',
    channels: phoneChannels,
  },
  {
    id: 'many_targets_in_prefix',
    title: 'Many different numbers under one prefix are challenged',
    source: 'Many targets that share a prefix are a signal of pumping; 20 per prefix and hour are our limit.',
    mode: 'enforce',
    when: { fact: 'targets_in_prefix_30m', op: 'gte', value: 20 },
    verdict: 'challenge',
  },
  {
    id: 'targets_per_ip',
    title: 'One address that asks for many recipients is challenged',
    source: 'Our limit is 10 per IP and hour; one vendor credits the IP with half of what its model gains.',
    mode: 'enforce',
    when: { fact: 'targets_per_ip_1h', op: 'gte', value: 10 },
    verdict: 'challenge',
  },
  {
    id: 'targets_per_device',
    title: 'One device that asks for many recipients is challenged',
    source: 'Our limit is 5 per device and hour; one vendor credits the device with 40 % of what its model gains.',
    mode: 'enforce',
    when: { fact: 'targets_per_device_1h', op: 'gte', value: 5 },
    verdict: 'challenge',
  },
  {
    id: 'unverified_country',
    title: 'A country where hardly a code is verified is challenged',
    source: 'A country that rarely converts is a signal of pumping: below 20 % against 60 to 80 % in health.',
    mode: 'enforce',
    when: { fact: 'verified_share_of_country_24h', op: 'lt', value: 0.2 },
    verdict: 'challenge',
  },
  {
    id: 'unverified_provider',
    title: 'A provider through which hardly a code is verified',
    source: 'The same per network; told, not decided, because a provider that loses messages looks alike.',
    mode: 'shadow',
    when: { fact: 'verified_share_of_provider_24h', op: 'lt', value: 0.2 },
    verdict: 'challenge',
  },
  {
    id: 'first_country',
    title: 'The first send to a country in a month',
    source: 'A country new to the account is a signal of pumping; alone it is too weak to decide.',
    mode: 'shadow',
    when: { fact: 'is_first_country', op: 'eq', value: true },
    verdict: 'challenge',
  },
  {
    id: 'sudden_velocity',
    title: 'Ten times as many sends as usual',
    source: 'Velocity against its own past; told, not decided, because campaigns look alike.',
    mode: 'shadow',
    when: {
      all: [
        { fact: 'sends_of_application_10m', op: 'gte', value: 100 },
        { fact: 'sends_of_application_10m_ratio', op: 'gte', value: 10 },
      ],
    },
    verdict: 'challenge',
  },
];

/** `fromMs`: when the first week began. */
export const defaultRuleSet = (fromMs: number): RuleSet => ({
  ...shipped,
  shadow_until: new Date(fromMs + firstWeekMs).toISOString(),
});

const shipped = readRuleSet({ rules });
