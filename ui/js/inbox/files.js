// @ts-check
// Files on their way up: by button, by paste, by drop. The message waits until they are there.
import { upload } from "./api.js";
import { touched } from "./drafts.js";
import { newId } from "./ids.js";
import { say } from "./toasts.js";

const LARGEST = 25_000_000;

function update(side, key, words) {
  side.files.value = side.files.peek().map((file) => (file.key === key ? { ...file, ...words } : file));
}

async function begin(draft, side, entry, file) {
  const { done, stop } = upload(`/api/conversations/${draft.id}/files`, file, (progress) => update(side, entry.key, { progress: Math.min(progress, 0.99) }));
  update(side, entry.key, { stop, error: null, progress: 0 });
  try {
    const stored = await done;
    update(side, entry.key, { ...stored, progress: 1, stop: null });
    touched(draft);
  } catch (error) {
    if (/** @type {any} */ (error).code !== "aborted") update(side, entry.key, { error: /** @type {Error} */ (error).message, stop: null });
  }
}

/** Takes files for the side that is written on. */
export function addFiles(draft, side, files) {
  for (const file of files) {
    if (file.size > LARGEST) {
      say(`${file.name} is too large: at most 25 MB.`, { icon: "alert", bad: true });
      continue;
    }
    const entry = { key: newId(), id: null, name: file.name || "picture.png", size: file.size, type: file.type, progress: 0, error: null };
    entry.again = () => begin(draft, side, entry, file);
    side.files.value = [...side.files.peek(), entry];
    entry.again();
  }
}

export function removeFile(draft, side, file) {
  file.stop?.();
  side.files.value = side.files.peek().filter((one) => one.key !== file.key);
  touched(draft);
}

export const isUploading = (side) => side.files.value.some((file) => !file.id && !file.error);
export const hasFailed = (side) => side.files.value.some((file) => file.error);
