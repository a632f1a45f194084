namespace Orders.OutsideWorld.Mails;

/// <summary>How the SMTP server ended a mail. In JSON in camel case.</summary>
public enum ReceptionOutcome
{
    /// <summary>Taken, and answered 250 unless the connection was lost meanwhile.</summary>
    Accepted,

    /// <summary>Taken, but the connection was cut on purpose instead of the 250.</summary>
    Vanished,

    /// <summary>Answered 4xx; not taken.</summary>
    TempFailed,

    /// <summary>Answered 5xx; not taken.</summary>
    Rejected,

    /// <summary>Cut by the server in the middle of DATA; not taken.</summary>
    Dropped,

    /// <summary>The client left before the final dot; not taken.</summary>
    Abandoned,
}
