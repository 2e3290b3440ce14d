"""A file of a published Google Drive folder.

gdown knows Drive's pages: the listing of a folder, and the page that asks whether to download a file too large to be
scanned for viruses. The transfer is ours: gdown's, continued by a later call, would join the parts of two versions.
"""

from dataclasses import dataclass
from functools import cached_property

import requests

from benchmark.base.errors import TransferError
from benchmark.fetching.published import DRIVE_FOLDER
from benchmark.fetching.sources import TIMEOUT, WebFile, refuse


@dataclass(frozen=True)
class DriveFile(WebFile):
    """The file of that name in the folder at ``url``; its own address is asked for anew at every opening."""

    url: str = f"https://drive.google.com/drive/folders/{DRIVE_FOLDER}"
    file: str = ""

    @property
    def name(self) -> str:
        """The folder's address and the file in it."""
        return f"{self.url}/{self.file}"

    @cached_property
    def _id(self) -> str:
        import gdown

        listed = gdown.download_folder(self.url, quiet=True, use_cookies=False, skip_download=True, timeout=TIMEOUT)
        ids = {path.rpartition("/")[2]: key for key, path, _ in listed}
        if self.file not in ids:
            raise self._failed(f"the folder has no such file but {', '.join(ids) or 'none'}")
        return ids[self.file]

    def _address(self, session: requests.Session) -> str:
        from gdown.download import get_url_from_gdrive_confirmation
        from gdown.exceptions import DownloadError

        try:
            address = f"https://drive.google.com/uc?id={self._id}"
            with session.get(address, stream=True, timeout=TIMEOUT) as response:
                refuse(response, self.name)
                if "Content-Disposition" in response.headers:  # small enough to be sent at once
                    return address
                return get_url_from_gdrive_confirmation(response.text)
        except DownloadError as error:
            raise self._failed(str(error).partition(". ")[0]) from None

    def _not_a_file(self) -> Exception:
        return self._failed("Drive sends a page instead of the file")

    def _failed(self, cause: str) -> TransferError:
        return TransferError(
            f"{self.name}: {cause}; Drive limits how often a file is read: try again tomorrow, or get the file with a "
            f"browser and fetch it with --url file:///…/{self.file}"
        )
