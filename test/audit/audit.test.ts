import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { audit } from '../../src/audit/audit.ts';
import type { AuditSources, AuditTelemetry, RecordedVersion, Version } from '../../src/audit/ports.ts';
import { KubetapeError } from '../../src/events/errors.ts';

const version = (name: string, resourceVersion: string): RecordedVersion => ({ namespace: '', name, uid: name, resourceVersion, epoch: 1 });

/** Three sides that a test sets, look by look. */
class Sides implements AuditSources {
  readonly looks = new Map<string, number>();
  actual: (look: number, resource: string) => readonly Version[] = () => [version('a', '5')];
  remembered: (look: number) => readonly RecordedVersion[] = () => [version('a', '5')];
  stored: (look: number) => readonly RecordedVersion[] = () => [version('a', '5')];
  given = true;

  async cluster(resource: string): Promise<readonly Version[]> {
    return this.actual(this.looks.get(resource) ?? 0, resource);
  }
  async state(resources: readonly string[]): Promise<Map<string, readonly RecordedVersion[]>> {
    for (const resource of resources) this.looks.set(resource, (this.looks.get(resource) ?? 0) + 1);
    return new Map(resources.map((resource) => [resource, this.remembered(this.looks.get(resource) ?? 0)]));
  }
  async table(resource: string): Promise<readonly RecordedVersion[]> {
    return this.stored(this.looks.get(resource) ?? 0);
  }
  async ends(): Promise<readonly number[]> {
    return [7];
  }
  async reached(_resource: string, ends: readonly number[]): Promise<boolean> {
    assert.deepEqual(ends, [7]);
    return this.given;
  }
}

const SILENT: AuditTelemetry = { differs: () => undefined, audited: () => undefined };
const run = (sides: Sides, withinMs: number, resources = ['pods'], signal = new AbortController().signal) =>
  audit(resources, sides, { withinMs, lookEveryMs: 5 }, SILENT, signal);

describe('an audit', () => {
  it('A4 patient: what arrives in time is no drift, and equal sets need one look', async () => {
    const sides = new Sides();
    sides.stored = (look) => (look < 3 ? [] : [version('a', '5')]);
    const [late] = await run(sides, 10_000);
    assert.equal(late?.outcome, 'equal');
    assert.equal(sides.looks.get('pods'), 3);
    const [equal] = await run(new Sides(), 10_000);
    assert.deepEqual([equal?.outcome, equal?.objects], ['equal', 1]);
  });

  it('A4 patient: what never stops changing is no drift; what stays is', async () => {
    const busy = new Sides();
    busy.actual = (look) => [version('a', String(look + 10))];
    busy.remembered = (look) => [version('a', String(look + 9))];
    busy.stored = busy.remembered;
    assert.equal((await run(busy, 30))[0]?.outcome, 'equal');
    const stuck = new Sides();
    stuck.stored = () => [version('a', '4'), version('ghost', '2')];
    const [finding] = await run(stuck, 30);
    assert.equal(finding?.outcome, 'drift');
    assert.deepEqual(
      finding.drift.map(({ side, is, uid }) => [side, is, uid]),
      [
        ['table', 'older', 'a'],
        ['table', 'gone', 'ghost'],
      ],
    );
  });

  it('A5 fair: tables that were not given everything are unknown; a memory that lacks something is drift all the same', async () => {
    const behind = new Sides();
    behind.given = false;
    behind.stored = () => [];
    const [finding] = await run(behind, 0);
    assert.equal(finding?.outcome, 'unknown');
    assert.match(finding.reason ?? '', /Is a sink running/);
    behind.remembered = () => [];
    assert.equal((await run(behind, 0))[0]?.outcome, 'drift');
  });

  it('A6 whole: a resource that cannot be listed is unknown, with the reason; the others are audited', async () => {
    const sides = new Sides();
    sides.actual = (_look, resource) => {
      if (resource === 'secrets') throw new KubetapeError('KUBE_FORBIDDEN', 'secrets may not be listed');
      return [version('a', '5')];
    };
    const findings = await run(sides, 20, ['secrets', 'pods']);
    assert.deepEqual(
      findings.map(({ resource, outcome }) => [resource, outcome]),
      [
        ['secrets', 'unknown'],
        ['pods', 'equal'],
      ],
    );
    assert.match(findings[0]?.reason ?? '', /secrets may not be listed\. Grant/);
    await assert.rejects(
      run(
        Object.assign(new Sides(), {
          actual: () => {
            throw new TypeError('a defect');
          },
        }),
        0,
      ),
      TypeError,
    );
  });

  it('an interrupted audit says so of what it has not finished', async () => {
    const stop = new AbortController();
    const sides = new Sides();
    sides.stored = () => {
      stop.abort();
      return [];
    };
    const findings = await run(sides, 60_000, ['pods', 'secrets'], stop.signal);
    assert.deepEqual(
      findings.map(({ outcome, reason }) => [outcome, reason]),
      [
        ['unknown', 'it was interrupted'],
        ['unknown', 'it was interrupted'],
      ],
    );
  });
});
