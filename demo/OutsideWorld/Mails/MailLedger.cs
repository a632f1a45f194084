using Microsoft.Extensions.Options;
using Orders.OutsideWorld.Storage;

namespace Orders.OutsideWorld.Mails;

/// <summary>
/// Every mail the SMTP server has received, as evidence: nothing is merged, a Message-ID that arrives twice is listed
/// twice.
/// Safe for use by many threads.
/// </summary>
public sealed class MailLedger : IDisposable
{
    private readonly Lock gate = new();
    private readonly MailIndex shelf = new();
    private readonly JsonLines<ReceivedMail>? file;

    /// <summary>Opens the ledger and reads back what an earlier run has left in the data directory.</summary>
    /// <param name="options">Says where the file is, if there is one.</param>
    /// <param name="logger">Told how much was read back.</param>
    /// <exception cref="IOException">The file cannot be used or holds something that is no mail.</exception>
    public MailLedger(IOptions<OutsideWorldOptions> options, ILogger<MailLedger> logger)
    {
        ArgumentNullException.ThrowIfNull(options);
        file = JsonLines<ReceivedMail>.Open(options.Value.DataDirectory, "mails.jsonl", logger, shelf.Add);
    }

    /// <summary>
    /// The mails that were delivered, in the order of arrival: answered 250, or taken and the 250 lost.
    /// </summary>
    public IReadOnlyList<ReceivedMail> Delivered => Find(new MailQuery());

    /// <summary>
    /// Everything that arrived, also what was refused, dropped or abandoned, in the order of arrival.
    /// </summary>
    public IReadOnlyList<ReceivedMail> Everything => Find(new MailQuery { WithFailed = true });

    /// <summary>How many mails were delivered.</summary>
    public int DeliveredCount
    {
        get
        {
            lock (gate)
                return shelf.DeliveredCount;
        }
    }

    /// <summary>Lists mails.</summary>
    /// <param name="query">Which ones.</param>
    /// <returns>A copy, which later mails do not change.</returns>
    public IReadOnlyList<ReceivedMail> Find(MailQuery query)
    {
        ArgumentNullException.ThrowIfNull(query);
        lock (gate)
            return shelf.Find(query);
    }

    /// <summary>Forgets every mail, on disk too.</summary>
    public void Clear()
    {
        lock (gate)
        {
            file?.Clear();
            shelf.Clear();
        }
    }

    /// <summary>Closes the file.</summary>
    public void Dispose() => file?.Dispose();

    /// <summary>
    /// Records a mail. Called before the client is answered: a crash after the answer must not cost the evidence.
    /// </summary>
    /// <exception cref="IOException">The mail could not be written; it is not counted and must not be answered with
    /// 250.</exception>
    internal void Record(ReceivedMail mail)
    {
        lock (gate)
        {
            file?.Append(mail);
            shelf.Add(mail);
        }
    }
}
