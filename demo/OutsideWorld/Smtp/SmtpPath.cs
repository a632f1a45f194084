namespace Orders.OutsideWorld.Smtp;

/// <summary>The argument of MAIL or RCPT: an address in angle brackets and what follows it.</summary>
internal readonly record struct SmtpPath(string Address, string[] Parameters)
{
    private const int Longest = 254;

    /// <summary>Whether the address needs SMTPUTF8.</summary>
    public bool IsInternational => !System.Text.Ascii.IsValid(Address);

    /// <summary>
    /// Whether a mail could be delivered there: a local part and a domain, or the postmaster every server has.
    /// </summary>
    public bool IsMailbox
    {
        get
        {
            var at = Address.LastIndexOf('@');
            return at > 0 ? at < Address.Length - 1 : Address.Equals("postmaster", StringComparison.OrdinalIgnoreCase);
        }
    }

    /// <summary>
    /// Reads <c>FROM:&lt;a@b&gt; SIZE=1</c>, whose keyword is given; a quoted local part may hold anything printable, a
    /// source route is dropped.
    /// </summary>
    public static bool TryParse(string argument, string keyword, out SmtpPath path)
    {
        path = default;
        if (!argument.StartsWith(keyword, StringComparison.OrdinalIgnoreCase))
            return false;
        var rest = argument.AsSpan(keyword.Length).TrimStart(' ');
        if (rest.IsEmpty || rest[0] != '<')
            return false;
        var close = EndOf(rest);
        if (close < 0 || close - 1 > Longest || (close + 1 < rest.Length && rest[close + 1] != ' '))
            return false;

        var address = rest[1..close].ToString();
        if (address.StartsWith('@') && address.IndexOf(':') is > 0 and var route)
            address = address[(route + 1)..];
        path = new SmtpPath(address, rest[(close + 1)..].ToString().Split(' ', StringSplitOptions.RemoveEmptyEntries));
        return true;
    }

    private static int EndOf(ReadOnlySpan<char> rest)
    {
        var quoted = false;
        for (var i = 1; i < rest.Length; i++)
        {
            if (char.IsControl(rest[i]))
                return -1;
            if (quoted && rest[i] == '\\')
                i++;
            else if (rest[i] == '"')
                quoted = !quoted;
            else if (!quoted && rest[i] == '>')
                return i;
            else if (!quoted && rest[i] is ' ' or '<')
                return -1;
        }

        return -1;
    }
}
