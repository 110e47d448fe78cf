/** Images as people call them: by tag where the repository is known from the context, digests short. Pure. */
import { cut, oneLine } from './value.ts';

interface Image {
  readonly repository: string;
  readonly tag: string;
  readonly digest: string;
}

/** `registry:5000/team/app:v1@sha256:…`; a colon before the last slash is a port. */
export function parseImage(image: string): Image {
  const text = oneLine(image);
  const [name = '', digest = ''] = splitAt(text, text.indexOf('@'));
  const colon = name.lastIndexOf(':');
  const [repository = '', tag = ''] = colon > name.lastIndexOf('/') ? splitAt(name, colon) : [name];
  return { repository, tag, digest };
}

function splitAt(text: string, at: number): string[] {
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

/** `checkout:v42`: without the registry and the folders. */
export function imageText(image: string): string {
  const { repository, tag, digest } = parseImage(image);
  return cut(`${repository.slice(repository.lastIndexOf('/') + 1)}${versionText({ tag, digest }, ':')}`, 80);
}

/** `v42 → v43`, `nginx:1.25 → httpd:2.4`, `mirror.example/app:v1 → registry.example/app:v1` */
export function imageChangeText(before: string, after: string): string {
  const [old, now] = [parseImage(before), parseImage(after)];
  if (old.repository === now.repository) {
    const [from, to] = [versionText(old, ''), versionText(now, '')];
    if (from !== to) return `${from === '' ? 'latest' : from} → ${to === '' ? 'latest' : to}`;
  }
  const [from, to] = [imageText(before), imageText(after)];
  if (from !== to && lastPart(old.repository) !== lastPart(now.repository)) return `${from} → ${to}`;
  const [whole, wholeAfter] = [old, now].map((image) => cut(`${image.repository}${versionText(image, ':')}`, 80));
  return whole === wholeAfter ? 'changed' : `${whole} → ${wholeAfter}`;
}

function lastPart(repository: string): string {
  return repository.slice(repository.lastIndexOf('/') + 1);
}

/** @param colon what stands before a tag */
function versionText({ tag, digest }: Pick<Image, 'tag' | 'digest'>, colon: string): string {
  const version = tag === '' ? '' : `${colon}${cut(tag, 48)}`;
  return digest === '' ? version : `${version}@${digestText(digest)}`;
}

/** `sha256:1f2e3d4c5b6a`: as many digits as tell images apart. */
export function digestText(digest: string): string {
  const colon = digest.indexOf(':');
  return digest.slice(0, Math.min(colon < 0 ? 12 : colon + 13, 40));
}
