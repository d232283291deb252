"""Settings of what people see: the dashboard, and the e-mail of a night."""

from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from dsn_nlp.records import Language


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DashboardSettings(_Strict):
    """Who may open the dashboard."""

    passwords: Path | None = Field(None, description="made with dsn-nlp privacy password")
    proxy_header: str | None = Field(None, description="names the person a reverse proxy let in")
    proxies: list[str] = Field([], description="addresses or networks of that proxy")
    hours: float = Field(10.0, gt=0, le=72, description="after which one signs in again")
    secure_cookies: bool = Field(True, description="false only where nobody comes by HTTPS")


class MailSettings(_Strict):
    """Who is told of a night by e-mail: counts and alerts, never a passage."""

    host: str = ""
    port: int = Field(587, ge=1, le=65535)
    security: Literal["starttls", "tls", "none"] = "starttls"
    user: str | None = None
    password_env: str | None = Field(None, description="environment variable with the password")
    sender: str = "dsn-nlp@localhost"
    to: list[str] = []
    only_alerts: bool = Field(False, description="true: no message on a night without an alert")
    lang: Language = "fr"

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        if bool(self.host) != bool(self.to):
            raise ValueError("name both host and to")
        if any("\n" in one or "\r" in one for one in (self.sender, *self.to)):
            raise ValueError("an address has one line")
        return self
