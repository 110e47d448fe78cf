/** Where in an object a text was found: its name, a label, an image. Pure. */
import type { Found } from './ports.ts';

/** @returns `name`, `label app=checkout`, `image registry/checkout:v42`, as many as there are */
export function foundWhere({ name, labels, images }: Pick<Found, 'name' | 'labels' | 'images'>, text: string): string[] {
  const wanted = text.toLowerCase();
  const holds = (one: string): boolean => one.toLowerCase().includes(wanted);
  return [
    ...(holds(name) ? ['name'] : []),
    ...Object.entries(labels)
      .map(([key, value]) => `${key}=${value}`)
      .filter(holds)
      .map((label) => `label ${label}`),
    ...[...new Set(images)].filter(holds).map((image) => `image ${image}`),
  ];
}
