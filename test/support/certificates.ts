/** An authority of a test's own, and certificates from it, as PEM files. */
import { webcrypto } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
// The library's own imports want it first.
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';

const RSA = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', publicExponent: new Uint8Array([1, 0, 1]), modulusLength: 2048 };
const DAY_MS = 86_400_000;

export interface PemFiles {
  readonly cert: string;
  readonly key: string;
}

export class Authority {
  readonly #keys: webcrypto.CryptoKeyPair;
  readonly #name: string;
  readonly #dir: string;
  /** Its own certificate. */
  readonly caFile: string;

  private constructor(dir: string, name: string, keys: webcrypto.CryptoKeyPair, cert: x509.X509Certificate) {
    this.#dir = dir;
    this.#name = name;
    this.#keys = keys;
    this.caFile = path.join(dir, `${name}-ca.pem`);
    writeFileSync(this.caFile, `${cert.toString('pem')}\n`);
  }

  static async create(dir: string, name: string): Promise<Authority> {
    const keys = await webcrypto.subtle.generateKey(RSA, true, ['sign', 'verify']);
    const cert = await x509.X509CertificateGenerator.createSelfSigned({
      name: `CN=${name}`,
      keys,
      signingAlgorithm: RSA,
      ...validity(),
      extensions: [
        new x509.BasicConstraintsExtension(true, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      ],
    });
    return new Authority(dir, name, keys, cert);
  }

  /** @param hosts names and addresses that the certificate is good for; none for a client's */
  async issue(name: string, hosts: readonly string[]): Promise<PemFiles> {
    const keys = await webcrypto.subtle.generateKey(RSA, true, ['sign', 'verify']);
    const names = hosts.map((host) => ({ type: /^[\d.]+$/.test(host) ? ('ip' as const) : ('dns' as const), value: host }));
    const cert = await x509.X509CertificateGenerator.create({
      subject: `CN=${name}`,
      issuer: `CN=${this.#name}`,
      publicKey: keys.publicKey,
      signingKey: this.#keys.privateKey,
      signingAlgorithm: RSA,
      ...validity(),
      extensions: [
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth]),
        ...(names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(names)]),
      ],
    });
    const files = { cert: path.join(this.#dir, `${name}.pem`), key: path.join(this.#dir, `${name}.key`) };
    const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64');
    writeFileSync(files.cert, `${cert.toString('pem')}\n`);
    writeFileSync(files.key, `-----BEGIN PRIVATE KEY-----\n${pkcs8.replaceAll(/.{64}/g, '$&\n')}\n-----END PRIVATE KEY-----\n`, {
      mode: 0o600,
    });
    return files;
  }
}

function validity(): { notBefore: Date; notAfter: Date } {
  return { notBefore: new Date(Date.now() - DAY_MS), notAfter: new Date(Date.now() + DAY_MS) };
}
