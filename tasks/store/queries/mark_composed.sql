-- A message made again (after a kill) is the same document; its note is renewed.
update messages
set status = 'composed',
    document_path = composed_documents.document_path,
    document_sha256 = composed_documents.document_sha256,
    template_sha256 = composed_documents.template_sha256
from composed_documents
where messages.message_id = composed_documents.message_id
    and messages.batch_id = $batch_id
    and messages.status in ('planned', 'composed')
returning messages.message_id
