namespace Orders.OutsideWorld.Mails;

/// <summary>
/// Mails in the order of arrival, found quickly by recipient and Message-ID: a checker asks once for each of 100,000
/// orders.
/// </summary>
internal sealed class MailIndex
{
    private readonly List<ReceivedMail> all = [];
    private readonly List<ReceivedMail> delivered = [];
    private readonly Dictionary<string, List<ReceivedMail>> byRecipient = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<string, List<ReceivedMail>> byMessageId = new(StringComparer.Ordinal);

    public int DeliveredCount => delivered.Count;

    public void Add(ReceivedMail mail)
    {
        all.Add(mail);
        if (mail.IsDelivered)
            delivered.Add(mail);
        foreach (var recipient in mail.Recipients.Distinct(StringComparer.OrdinalIgnoreCase))
            AddTo(byRecipient, recipient, mail);
        if (mail.MessageId is { } id)
            AddTo(byMessageId, id, mail);
    }

    public IReadOnlyList<ReceivedMail> Find(MailQuery query)
    {
        var found = query switch
        {
            { MessageId: { } id, To: null } => Few(
                byMessageId,
                MailDecoder.BareId(id),
                mail => query.WithFailed || mail.IsDelivered
            ),
            { MessageId: { } id, To: { } to } => Few(
                byMessageId,
                MailDecoder.BareId(id),
                mail => (query.WithFailed || mail.IsDelivered) && mail.IsTo(to)
            ),
            { To: { } to } => Few(byRecipient, to, mail => query.WithFailed || mail.IsDelivered),
            _ => query.WithFailed ? all : delivered,
        };
        var length = Math.Clamp(found.Count - query.Offset, 0, query.Limit);
        var start = query.NewestFirst ? found.Count - query.Offset - length : query.Offset;
        var page = length == 0 ? [] : found.GetRange(start, length);
        if (query.NewestFirst)
            page.Reverse();
        return page;
    }

    public void Clear()
    {
        all.Clear();
        delivered.Clear();
        byRecipient.Clear();
        byMessageId.Clear();
    }

    private static List<ReceivedMail> Few(
        Dictionary<string, List<ReceivedMail>> index,
        string key,
        Func<ReceivedMail, bool> wanted
    ) => index.TryGetValue(key, out var list) ? [.. list.Where(wanted)] : [];

    private static void AddTo(Dictionary<string, List<ReceivedMail>> index, string key, ReceivedMail mail)
    {
        if (!index.TryGetValue(key, out var list))
            index[key] = list = new List<ReceivedMail>(1);
        list.Add(mail);
    }
}
