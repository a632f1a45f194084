using System.Text;

namespace Orders.OutsideWorld.Smtp;

/// <summary>
/// One AUTH (RFC 4954): PLAIN, LOGIN and XOAUTH2, with an initial response or without. The user, password and token are
/// those of the options.
/// </summary>
internal sealed class SmtpLogin(SmtpServerConnection connection, OutsideWorldOptions options)
{
    /// <summary>What EHLO says of it.</summary>
    public const string Mechanisms = "AUTH PLAIN LOGIN XOAUTH2";

    /// <summary>Asks for what is missing, and answers the login.</summary>
    /// <param name="argument">What follows AUTH.</param>
    /// <returns>Whether somebody is logged in now; null when the mechanism is unknown.</returns>
    public async ValueTask<bool?> TryAsync(string argument)
    {
        var words = argument.Split(' ', 2);
        var given = words.Length == 2 ? words[1] : null;
        bool isRight;
        switch (words[0].ToUpperInvariant())
        {
            case "PLAIN":
                var plain = (await DecodedAsync(given, "")).Split('\0');
                isRight = plain.Length == 3 && IsUser(plain[1], plain[2]);
                break;
            case "LOGIN":
                var user = await DecodedAsync(given, "VXNlcm5hbWU6");
                isRight = IsUser(user, await DecodedAsync(null, "UGFzc3dvcmQ6"));
                break;
            case "XOAUTH2":
                isRight =
                    await DecodedAsync(given, "")
                    == $"user={options.SmtpUsername}\u0001auth=Bearer {options.SmtpToken}\u0001\u0001";
                // The provider's reason as base64 of JSON; the client answers with an empty line.
                if (!isRight)
                    await DecodedAsync(null, "eyJzdGF0dXMiOiI0MDEifQ==");
                break;
            default:
                return null;
        }

        connection.Reply(isRight ? "235 2.7.0 logged in" : "535 5.7.8 user, password or token is wrong");
        return isRight;
    }

    private bool IsUser(string user, string password) =>
        user == options.SmtpUsername && password == options.SmtpPassword;

    // What is no base64 is somebody else's password at most: it matches nothing.
    private async ValueTask<string> DecodedAsync(string? given, string challenge)
    {
        if (given is null)
        {
            connection.Reply($"334 {challenge}");
            var line = await connection.ReadLineAsync();
            given = Encoding.ASCII.GetString(line.Bytes.Span);
        }

        var bytes = new byte[given.Length];
        return Convert.TryFromBase64String(given, bytes, out var length)
            ? Encoding.UTF8.GetString(bytes.AsSpan(0, length))
            : "";
    }
}
