import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { compareResourceVersions, isResourceVersion } from '../../src/events/resource-version.ts';
import { changeKey, resourceName, tableOf, topicOf } from '../../src/events/resource.ts';

describe('names of resources', () => {
  it('N1 stable: the default resources have the names that people type', () => {
    const names = [
      resourceName({ group: '', plural: 'pods' }),
      resourceName({ group: 'apps', plural: 'deployments' }),
      resourceName({ group: 'events.k8s.io', plural: 'events' }),
      resourceName({ group: 'cert-manager.io', plural: 'certificates' }),
    ];
    assert.deepEqual(names, ['pods', 'deployments', 'events', 'certificates.cert-manager.io']);
    assert.deepEqual(
      names.map((name) => topicOf(name)),
      ['k8s-pods', 'k8s-deployments', 'k8s-events', 'k8s-certificates.cert-manager.io'],
    );
    assert.deepEqual(names.map(tableOf), ['pods', 'deployments', 'events', 'certificates_cert_manager_io']);
    assert.equal(topicOf('pods', 'team-a.'), 'team-a.k8s-pods');
  });

  it('N1 stable: a cluster-scoped object has an empty namespace in its key', () => {
    assert.equal(changeKey('prod', '', 'node-1'), 'prod//node-1');
  });

  it('N2 distinct: long names that share a beginning have different tables', () => {
    const a = tableOf(`${'averylongcustomresourcename'.repeat(2)}.one.example.org`);
    const b = tableOf(`${'averylongcustomresourcename'.repeat(2)}.two.example.org`);
    assert.notEqual(a, b);
  });

  it('N3 legal: any table name leaves room for the suffixes of history partitions', () => {
    const label = fc.stringMatching(/^[a-z][a-z0-9-]{0,60}$/);
    fc.assert(
      fc.property(label, label, (plural, group) => {
        const table = tableOf(`${plural}.${group}.io`);
        assert.match(table, /^[a-z0-9_]+$/);
        assert.ok(`${table}_history_p20260101`.length <= 63);
      }),
    );
  });
});

describe('resourceVersions', () => {
  it('compare as integers of any length', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 1n, max: 2n ** 128n - 1n }), fc.bigInt({ min: 1n, max: 2n ** 128n - 1n }), (a, b) => {
        assert.equal(Math.sign(compareResourceVersions(String(a), String(b))), a < b ? -1 : a > b ? 1 : 0);
      }),
    );
  });

  it('are digits without a leading zero', () => {
    for (const good of ['1', '48213', '340282366920938463463374607431768211455']) assert.ok(isResourceVersion(good), good);
    for (const bad of ['', '0', '01', '1a', '-1', ' 1', 1, null, undefined]) assert.ok(!isResourceVersion(bad), String(bad));
  });
});
