/** The date of everything in an archive: the first one that zip can hold, in this computer's own zone, as zip wants it. */
export const zipTime = new Date(1980, 0, 1);
/** The same day for tar, which counts from the epoch. */
export const tarTime = new Date(Date.UTC(1980, 0, 1));
