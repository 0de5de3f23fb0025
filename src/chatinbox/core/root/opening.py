"""Opening the vault of an installation as its settings say: who keeps the root key, and where that is reached."""

import ssl

from chatinbox.core.egress.beforehand import Beforehand
from chatinbox.core.egress.http import HttpGate
from chatinbox.core.egress.ledger import Writes
from chatinbox.core.root.keep import InFile, Keeper
from chatinbox.core.root.keyholder import Keyholder, Reached
from chatinbox.core.settings import Settings
from chatinbox.core.trouble import Trouble
from chatinbox.core.vault import Vault


def open_vault(settings: Settings) -> Vault:
    """The vault of the data folder; raises Trouble, and Away where the keyholder can be asked again."""
    return Vault.open(settings.data, settings.destroyed_ledger, keeper_of(settings))


def keeper_of(settings: Settings) -> Keeper:
    """Who keeps the root key, by the settings."""
    return keyholder(settings, Beforehand(settings.data)) if settings.keyholder_url else InFile()


def keyholder(settings: Settings, ledger: Writes) -> Keyholder:
    """The keyholder that the settings name. What is sent there is written into `ledger` first. Raises Trouble for a
    certificate that cannot be read.
    """
    reached = Reached(
        settings.keyholder_url, settings.keyholder_key, settings.keyholder_mount, settings.keyholder_namespace,
        settings.keyholder_token_file, settings.keyholder_role_id, settings.keyholder_secret_file,
        settings.keyholder_login,
    )  # fmt: skip
    return Keyholder(reached, HttpGate(ledger, trust=_trust(settings.keyholder_ca)))


def _trust(ca: str) -> ssl.SSLContext | None:
    """Whose certificates are believed: the machine's list, or only the authority that is named."""
    if not ca:
        return None
    try:
        return ssl.create_default_context(cafile=ca)
    except (OSError, ssl.SSLError) as error:
        raise Trouble(
            f"CHATINBOX_KEYHOLDER_CA names {ca}, which cannot be read ({type(error).__name__})."
        ) from None
