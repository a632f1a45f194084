using Orders.Workers.Email.Smtp;

namespace Orders.Workers.Email;

/// <summary>A connection that waits for its mail. Goes back to the pool when no mail comes.</summary>
internal sealed class MailConnection(SmtpPool pool, SmtpConnection connection, TimeSpan timeLeft) : IAsyncDisposable
{
    private SmtpConnection? _connection = connection;

    /// <summary>How long the mail may take.</summary>
    public TimeSpan TimeLeft => timeLeft;

    /// <summary>Hands the connection over to whoever sends the mail and gives it back.</summary>
    public SmtpConnection Take() =>
        Interlocked.Exchange(ref _connection, null)
        ?? throw new InvalidOperationException("This connection has been used for a mail.");

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _connection, null) is { } unused)
            await pool.GiveBackAsync(unused, isBroken: false);
    }
}
