/**
 * One leader of several, by a coordination.k8s.io Lease. It keeps a crowd in order; what makes two leaders harmless is
 * the fence in Kafka. The decision is pure, after client-go's tools/leaderelection: a lease is taken to be abandoned when
 * it has not changed for its duration by this process's own clock, so that clocks need not agree. Beyond client-go, one whose
 * last renewal is three durations old is abandoned at first sight: else a process that is killed again and again before it has
 * looked for so long would never lead, and nobody would. Clocks that differ by more cost a change of leaders, nothing else.
 */
import { KubetapeError, isCode } from '../events/errors.ts';
import type { KubeClient } from './client.ts';
import { pause } from '../flow/pause.ts';

export interface LeaseSettings {
  readonly namespace: string;
  readonly name: string;
  /** Distinct for each process. */
  readonly identity: string;
}

/** The parts of a Lease that matter. */
export interface Lease {
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly resourceVersion?: string };
  readonly spec?: {
    readonly holderIdentity?: string;
    readonly leaseDurationSeconds?: number;
    readonly acquireTime?: string;
    readonly renewTime?: string;
    readonly leaseTransitions?: number;
  };
}

export interface LeaseListener {
  leading(): void;
  /** @param holder who leads; '' when nobody does */
  standingBy(holder: string): void;
  /** The Lease may not be used: the fence alone has to do. */
  unavailable(error: KubetapeError): void;
}

/** Somewhat below client-go's defaults: a successor leads within fifteen seconds of a kill -9. */
const DURATION_SECONDS = 10;
const RENEW_DEADLINE_MS = 7_000;
const RETRY_MS = 1_500;

/**
 * How to come by the lease.
 *   wait     for as long as it takes
 *   if-free  only when nobody renews it: whoever holds it is left alone
 *   take     from whoever holds it; that one stops once it sees the lease renewed by another
 */
export type Approach = 'wait' | 'if-free' | 'take';

/** When the lease was last seen to change, by a clock that nobody sets (`performance.now()`). */
export interface Observed {
  readonly resourceVersion: string;
  readonly atMs: number;
}

/** Durations without a renewal, by the clock on the wall, after which nobody needs to be watched for another. */
const STALE_DURATIONS = 3;

/**
 * @param nowMs by the clock of `observed`
 * @param wallMs ms since 1970
 * @returns whether to write the lease now (to take or to renew it), or to look again later
 */
export function leaseDecision(lease: Lease | null, identity: string, observed: Observed, nowMs: number, wallMs: number): 'write' | 'wait' {
  const holder = lease?.spec?.holderIdentity ?? '';
  if (lease === null || holder === '' || holder === identity) return 'write';
  const durationMs = (lease.spec?.leaseDurationSeconds ?? DURATION_SECONDS) * 1000;
  const renewedMs = Date.parse(lease.spec?.renewTime ?? '');
  const stale = !Number.isNaN(renewedMs) && wallMs - renewedMs > STALE_DURATIONS * durationMs;
  return stale || nowMs - observed.atMs > durationMs ? 'write' : 'wait';
}

export class LeaderElection {
  readonly #client: KubeClient;
  readonly #settings: LeaseSettings;
  readonly #listener: LeaseListener;
  #observed: Observed = { resourceVersion: '', atMs: 0 };

  constructor(client: KubeClient, settings: LeaseSettings, listener: LeaseListener) {
    this.#client = client;
    this.#settings = settings;
    this.#listener = listener;
  }

  /**
   * Comes by the lease, then runs `work` for as long as it leads.
   * @returns false when another one leads, and was left alone
   * @throws KubetapeError LEASE_LOST; whatever `work` throws
   */
  async lead(work: (signal: AbortSignal) => Promise<void>, signal: AbortSignal, approach: Approach = 'wait'): Promise<boolean> {
    const acquired = await this.#acquire(signal, approach);
    if (acquired === 'another') return false;
    if (acquired === 'no election') {
      if (!signal.aborted) await work(signal);
      return true;
    }
    const stop = new AbortController();
    const onSignal = (): void => stop.abort();
    signal.addEventListener('abort', onSignal, { once: true });
    this.#listener.leading();
    const done = new AbortController();
    const keeping = this.#keep(done.signal).then((kept) => {
      if (!kept) stop.abort();
      return kept;
    });
    try {
      await work(stop.signal);
    } finally {
      done.abort();
      signal.removeEventListener('abort', onSignal);
      if (await keeping) await this.#release();
    }
    if (!signal.aborted && stop.signal.aborted)
      throw new KubetapeError('LEASE_LOST', `the Lease ${this.#settings.namespace}/${this.#settings.name} was lost`);
    return true;
  }

  async #acquire(signal: AbortSignal, approach: Approach): Promise<'acquired' | 'another' | 'no election'> {
    let told: string | null = null;
    /** Changes seen of a lease that somebody else holds: the second one is a renewal. */
    const versions = new Set<string>();
    while (!signal.aborted) {
      try {
        const holder = await this.#tryOnce(signal, approach);
        if (holder === this.#settings.identity) return 'acquired';
        if (holder !== told) this.#listener.standingBy(holder);
        told = holder;
        versions.add(this.#observed.resourceVersion);
        if (approach === 'if-free' && versions.size > 1) return 'another';
      } catch (error) {
        if (signal.aborted) break;
        if (isCode(error, 'KUBE_FORBIDDEN', 'KUBE_NOT_FOUND')) {
          this.#listener.unavailable(error);
          return 'no election';
        }
        if (!(error instanceof KubetapeError)) throw error;
      }
      await pause(RETRY_MS, signal);
    }
    return 'no election';
  }

  /**
   * Goes on while the API server is away: nobody else can take the lease then either, and there is nothing to see. A
   * holder that is seen to renew it leads; one that never does comes from a backup of etcd, and runs out.
   * @returns false once somebody else is seen to renew it
   */
  async #keep(signal: AbortSignal): Promise<boolean> {
    let rivalVersion: string | null = null;
    while (!signal.aborted) {
      await pause(RETRY_MS, signal);
      if (signal.aborted) return true;
      try {
        const timely = AbortSignal.any([signal, AbortSignal.timeout(RENEW_DEADLINE_MS)]);
        const holder = await this.#tryOnce(timely, 'wait');
        const version = this.#observed.resourceVersion;
        if (holder === this.#settings.identity) rivalVersion = null;
        else if (rivalVersion !== null && holder !== '' && version !== rivalVersion) return false;
        else if (holder !== '') rivalVersion = version;
      } catch {
        if (signal.aborted) return true;
      }
    }
    return true;
  }

  /** @returns who holds the lease now; '' when somebody else wrote at the same time */
  async #tryOnce(signal: AbortSignal, approach: Approach): Promise<string> {
    const { identity } = this.#settings;
    const lease = await this.#read(signal);
    const version = lease?.metadata.resourceVersion ?? '';
    if (version !== this.#observed.resourceVersion) this.#observed = { resourceVersion: version, atMs: performance.now() };
    // Who leaves others alone believes only what it has seen itself.
    const wallMs = approach === 'if-free' ? 0 : Date.now();
    const decision = approach === 'take' ? 'write' : leaseDecision(lease, identity, this.#observed, performance.now(), wallMs);
    if (decision === 'wait') return lease?.spec?.holderIdentity ?? '';
    const now = `${new Date().toISOString().slice(0, -1)}000Z`;
    const renewing = lease?.spec?.holderIdentity === identity;
    const spec = {
      holderIdentity: identity,
      leaseDurationSeconds: DURATION_SECONDS,
      acquireTime: renewing ? (lease.spec?.acquireTime ?? now) : now,
      renewTime: now,
      leaseTransitions: (lease?.spec?.leaseTransitions ?? 0) + (renewing || lease === null ? 0 : 1),
    };
    const written = await this.#write(lease, spec, signal);
    if (!written) return '';
    this.#observed = { resourceVersion: written, atMs: performance.now() };
    return identity;
  }

  get #path(): string {
    return `/apis/coordination.k8s.io/v1/namespaces/${this.#settings.namespace}/leases`;
  }

  async #read(signal: AbortSignal): Promise<Lease | null> {
    const response = await this.#client.open(`${this.#path}/${this.#settings.name}`, {}, signal);
    const text = await response.body.text();
    if (response.status === 404) return null;
    if (response.status !== 200) throw this.#client.failure(response, text, this.#path);
    return JSON.parse(text) as Lease;
  }

  /** @returns the new resourceVersion; '' when somebody else was faster */
  async #write(lease: Lease | null, spec: Lease['spec'], signal: AbortSignal): Promise<string> {
    const { name, namespace } = this.#settings;
    const body = JSON.stringify({
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { ...(lease?.metadata ?? { name, namespace }) },
      spec,
    });
    const path = lease === null ? this.#path : `${this.#path}/${name}`;
    const response = await this.#client.open(path, {}, signal, { method: lease === null ? 'POST' : 'PUT', body });
    const text = await response.body.text();
    if (response.status === 409) return '';
    if (response.status >= 300) throw this.#client.failure(response, text, path);
    return (JSON.parse(text) as Lease).metadata.resourceVersion ?? '';
  }

  /** The next one need not wait until it runs out. */
  async #release(): Promise<void> {
    try {
      const signal = AbortSignal.timeout(1_000);
      const lease = await this.#read(signal);
      if (lease?.spec?.holderIdentity === this.#settings.identity)
        await this.#write(lease, { ...lease.spec, holderIdentity: '', leaseDurationSeconds: 1 }, signal);
    } catch {
      // It runs out by itself.
    }
  }
}
