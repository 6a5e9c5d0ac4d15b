import { isIP } from 'node:net';

/**
 * Which brokers this server calls: `public` ones, by https and a public name, or those whose host is one of these or
 * below one. Their addresses come from owners, and where anybody may publish from anybody.
 */
export type BrokerHosts = 'public' | readonly string[];

/** Names that mean this machine or this network, whoever resolves them. */
const NOT_PUBLIC = ['localhost', 'local', 'internal', 'intranet', 'lan', 'home.arpa', 'test', 'invalid', 'onion'];

/** Whether this server calls a broker at an address. Parsed as it will be called, so that no other spelling passes. */
export function isAllowedBroker(serviceUrl: string, hosts: BrokerHosts): boolean {
  const url = URL.parse(serviceUrl);
  if (url === null) return false;
  const host = url.hostname.replace(/\.$/, '');
  if (hosts !== 'public') return isBelow(host, hosts);
  const isName = isIP(host.replace(/^\[|\]$/g, '')) === 0 && host.includes('.');
  return url.protocol === 'https:' && isName && !isBelow(host, NOT_PUBLIC);
}

function isBelow(host: string, suffixes: readonly string[]): boolean {
  return suffixes.some(suffix => host === suffix || host.endsWith(`.${suffix}`));
}
