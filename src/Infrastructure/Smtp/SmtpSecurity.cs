namespace Orders.Smtp;

/// <summary>How the connection to the mail server is protected.</summary>
public enum SmtpSecurity
{
    /// <summary>As the server offers; with a login, encrypted or not at all.</summary>
    Auto,

    /// <summary>Plain text. Refused together with a login.</summary>
    None,

    /// <summary>STARTTLS, or no mail.</summary>
    StartTls,

    /// <summary>TLS from the first byte, or no mail.</summary>
    SslOnConnect,

    /// <summary>The former name of <see cref="SslOnConnect"/>.</summary>
    Tls,
}
