namespace Orders.OutsideWorld.Mails;

/// <summary>Mails in the order of arrival, found quickly by recipient and Message-ID: a checker asks once for each of 100,000 orders.</summary>
internal sealed class MailShelf
{
    private readonly List<ReceivedMail> mails = [];
    private readonly Dictionary<string, List<ReceivedMail>> byRecipient = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<string, List<ReceivedMail>> byMessageId = new(StringComparer.Ordinal);

    public int Count => mails.Count;

    public void Add(ReceivedMail mail)
    {
        mails.Add(mail);
        foreach (var recipient in mail.Recipients.Distinct(StringComparer.OrdinalIgnoreCase))
            AddTo(byRecipient, recipient, mail);
        if (mail.MessageId is { } id)
            AddTo(byMessageId, id, mail);
    }

    public IReadOnlyList<ReceivedMail> Find(MailQuery query)
    {
        var found = query switch
        {
            { MessageId: { } id, To: null } => Of(byMessageId, MailDecoder.BareId(id)),
            { MessageId: { } id, To: { } to } => [.. Of(byMessageId, MailDecoder.BareId(id)).Where(mail => mail.Recipients.Contains(to, StringComparer.OrdinalIgnoreCase))],
            { To: { } to } => Of(byRecipient, to),
            _ => mails,
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
        mails.Clear();
        byRecipient.Clear();
        byMessageId.Clear();
    }

    private static List<ReceivedMail> Of(Dictionary<string, List<ReceivedMail>> index, string key) => index.TryGetValue(key, out var list) ? list : [];

    private static void AddTo(Dictionary<string, List<ReceivedMail>> index, string key, ReceivedMail mail)
    {
        if (!index.TryGetValue(key, out var list))
            index[key] = list = new List<ReceivedMail>(1);
        list.Add(mail);
    }
}
