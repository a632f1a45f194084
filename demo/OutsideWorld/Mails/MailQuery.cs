namespace Orders.OutsideWorld.Mails;

/// <summary>Which mails to list. Everything is optional; what is left out does not limit.</summary>
public sealed record MailQuery
{
    /// <summary>Only mails with exactly this envelope recipient, in any case.</summary>
    public string? To { get; init; }

    /// <summary>Only mails with exactly this Message-ID, with or without angle brackets.</summary>
    public string? MessageId { get; init; }

    /// <summary>Also mails that were refused, dropped or abandoned; otherwise only delivered ones.</summary>
    public bool WithFailed { get; init; }

    /// <summary>Newest first; otherwise in the order of arrival.</summary>
    public bool NewestFirst { get; init; }

    /// <summary>How many to leave out at the start.</summary>
    public int Offset { get; init; }

    /// <summary>How many to list at most.</summary>
    public int Limit { get; init; } = int.MaxValue;
}
