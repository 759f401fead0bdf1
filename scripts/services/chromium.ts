import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { installOnce } from './cache';
import { findExecutable, isExecutable } from './command';
import { hasDebianTools, libraryFolders, libraryPath, unpackDebianPackages } from './debian';
import { ToolUnavailableError } from './service';

/** A browser program and what must be in its environment. */
export interface ChromiumTool {
  readonly program: string;
  readonly environment: Readonly<Record<string, string>>;
}

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

const macPrograms = ['Chromium', 'Google Chrome'].map(
  (name) => `/Applications/${name}.app/Contents/MacOS/${name}`,
);

/** Where Debian's package has the program; `/usr/bin/chromium` is a script that knows its place. */
const packagedProgram = 'usr/lib/chromium/chromium';

const fontsFile = 'fonts.conf';

/** Fonts of the packages beside it: the machine may have none, and then no text is drawn. */
const fonts = `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">
<fontconfig>
  <dir prefix="relative">usr/share/fonts</dir>
  <cachedir prefix="xdg">fontconfig</cachedir>
</fontconfig>
`;

/**
 * Finds or fetches a Chromium: `COMPORTA_CHROMIUM`, one of this machine, else Debian's package with
 * its libraries and a font in the cache.
 * @throws ToolUnavailableError where none of these works.
 */
export async function ensureChromium(
  progress: (line: string) => void = () => undefined,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<ChromiumTool> {
  const present =
    environment['COMPORTA_CHROMIUM'] ||
    names.map(findExecutable).find((program) => program !== undefined) ||
    macPrograms.find(isExecutable);
  if (present) return { program: present, environment: {} };
  if (!hasDebianTools()) throw new ToolUnavailableError(missing);
  const directory = await installOnce('chromium', 'debian', async (target) => {
    progress('fetching Chromium from Debian (200 MB)');
    await unpackDebianPackages({ packages: ['chromium'], suite: 'installed' }, target);
    // Ubuntu's package of this name holds nothing but a hint at another way to install it.
    if (!existsSync(join(target, packagedProgram))) throw new ToolUnavailableError(missing);
    await writeFile(join(target, fontsFile), fonts);
  });
  const libraries = await libraryFolders(directory);
  // libpulse finds its other half by an absolute path.
  const ofPulse = libraries.map((folder) => join(folder, 'pulseaudio'));
  return {
    program: join(directory, packagedProgram),
    environment: {
      LD_LIBRARY_PATH: libraryPath([...libraries, ...ofPulse]),
      FONTCONFIG_FILE: join(directory, fontsFile),
    },
  };
}

const missing =
  'Chromium is missing. Install it so that chromium is on PATH (macOS: brew install --cask ' +
  'chromium), or name a Chromium or Chrome in COMPORTA_CHROMIUM.';
